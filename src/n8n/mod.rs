//! n8n: where its surfaces are, and what each call does.

pub mod accounts;
mod endpoints;
mod operations;
mod path;
mod path_prefix;
mod prefix;
mod route;
pub mod runs;
mod scope;
mod segment;
mod surface;

pub use endpoints::{EndpointConflict, EndpointFault, Endpoints};
pub use operations::Operation;
pub use path::{PathFault, MOST_SEGMENTS};
pub use path_prefix::{Location, PathPrefix};
pub use prefix::{Prefix, PrefixPath, WELL_KNOWN};
pub use route::{classify, described, Route};
pub use scope::{ScopeSet, UnknownScope};
pub use surface::Surface;
