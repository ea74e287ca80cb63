//! HTTP as this filter meets it: heads of requests, host names, addresses, and what can be called.

mod address;
mod endpoint;
pub mod hostname;
mod request_head;

pub use address::{Address, AddressFault};
pub use endpoint::Endpoint;
pub use hostname::HostPattern;
pub use request_head::RequestHead;
