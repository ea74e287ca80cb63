//! The only place that names proxy-wasm: it hands bytes from the host to the gate and does what
//! the gate says. It decides nothing.

mod abi;
mod host;
mod http;
mod map;
mod metrics;
mod root;

use proxy_wasm::traits::RootContext;
use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    // The host filters by its own level; what is formatted here in vain is little.
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|id| -> Box<dyn RootContext> { Box::new(root::Root::new(id)) });
}}
