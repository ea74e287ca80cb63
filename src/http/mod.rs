//! HTTP as this filter meets it: heads of requests, host names, addresses, and what can be called.

mod address;
mod cookies;
mod endpoint;
mod forwarded_certificate;
pub mod header_map;
pub mod hostname;
mod network;
mod request_head;
mod target_uri;

pub use address::{Address, AddressFault};
pub use cookies::{cookies, Cookie};
pub use endpoint::Endpoint;
pub use forwarded_certificate::{
    forwarded_certificate, ForwardedCertificate, FORWARDED_CERTIFICATE,
};
pub use hostname::HostPattern;
pub use network::Network;
pub use request_head::RequestHead;
pub use target_uri::Origin;
