//! The adapter for proxy-wasm, and the only code that names it: it hands the host's events to a
//! [`crate::worker`], and does what [`crate::worker::Host`] says. It decides nothing.

mod abi;
mod adapter;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel};
use talc::wasm::{new_wasm_dynamic_allocator, WasmDynamicTalc};

use crate::worker::{self, Flow, Worker};
use adapter::ProxyWasm;

proxy_wasm::main! {{
    // The host filters by its own level. Few lines are written and then filtered out.
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|context| -> Box<dyn RootContext> {
        Box::new(Root { context, worker: None })
    });
}}

/// It gives out the block that was freed last, which the processor still has in its caches (ADR 26). The
/// allocator of wasi-libc gives out one that has not been used for long.
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// The context of one configuration.
struct Root {
    context: u32,
    worker: Option<Worker<ProxyWasm>>,
}

/// The host deletes the context when its configuration goes away. It would say so before (`on_done`), but
/// then of each request as well, which would have to be entered for nothing.
impl Drop for Root {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.close();
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, number: u32, headers: usize, body: usize, _: usize) {
        if let Some(worker) = &self.worker {
            worker.call_ended(number, headers, body);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size);
        let Some(policy) = worker::load(&ProxyWasm, &text.ok().flatten().unwrap_or_default())
        else {
            return false;
        };
        self.worker = Some(Worker::new(ProxyWasm, self.context, policy));
        true
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.tick();
        }
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        let request = worker::Request::new(ProxyWasm, context, self.worker.clone());
        Some(Box::new(Request(request)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// The context of one request.
struct Request(worker::Request<ProxyWasm>);

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, is_end: bool) -> Action {
        action(self.0.head(is_end))
    }

    fn on_http_request_body(&mut self, size: usize, is_end: bool) -> Action {
        action(self.0.body(size, is_end))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        action(self.0.trailers())
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        action(self.0.response_head())
    }
}

const fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Hold => Action::Pause,
    }
}
