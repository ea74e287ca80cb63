//! n8n: where its surfaces are, and what each call does.

pub mod accounts;
pub mod description;
mod endpoints;
mod internal_api;
mod line;
mod operations;
mod path;
mod path_prefix;
mod prefix;
mod prefixes;
mod route;
pub mod runs;
mod scope;
mod segment;
mod surface;

pub use endpoints::{EndpointConflict, EndpointFault, Endpoints};
pub use internal_api::{closed_to_tokens, Closed, InternalRoute};
pub use line::{Line, Lines};
pub use operations::{Method, Operation};
pub use path::{PathFault, MOST_SEGMENTS};
pub use path_prefix::{Location, PathPrefix};
pub use prefix::{Prefix, WELL_KNOWN};
pub use prefixes::Prefixes;
pub use route::{classify, classify_for_token, described, Route};
pub use scope::{Scope, ScopeSet, UnknownScope, EMBED_SCOPE, REST_SCOPE, SURFACE_SCOPES};
pub use surface::Surface;
