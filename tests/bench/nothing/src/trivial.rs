//! A filter that reads two headers and writes two: the least work that replaces a credential.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Trivial) });
}}

struct Trivial;

impl Context for Trivial {}

impl RootContext for Trivial {
    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Trivial))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl HttpContext for Trivial {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let path = self.get_http_request_header_bytes(":path");
        let authorization = self.get_http_request_header_bytes("authorization");
        if path.is_some() && authorization.is_some() {
            self.set_http_request_header("authorization", None);
            self.set_http_request_header("x-n8n-api-key", Some("the-key-for-all"));
        }
        Action::Continue
    }
}
