//! The two filters beside this file show what WebAssembly itself costs in Envoy.
