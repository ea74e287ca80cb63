//! The connections that requests came over.

use crate::decide::{Connection, ConnectionAttribute};
use crate::facts::WaiterId;

/// What the host knows of the connections of requests.
pub trait Connections {
    /// An attribute of the connection of a request that was not answered yet.
    fn attribute(&self, request: WaiterId, attribute: ConnectionAttribute) -> Option<String>;
}

/// The connection of one request.
pub(super) struct ConnectionOf<'h> {
    pub(super) connections: &'h dyn Connections,
    pub(super) request: WaiterId,
}

impl Connection for ConnectionOf<'_> {
    fn attribute(&self, attribute: ConnectionAttribute) -> Option<String> {
        self.connections.attribute(self.request, attribute)
    }
}
