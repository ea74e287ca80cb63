//! The filters beside this file show the cost of WebAssembly itself in Envoy.
