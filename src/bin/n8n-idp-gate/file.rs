//! Files with configurations in them, and what else the commands read.

pub(crate) mod environment;
pub(crate) mod fields;
pub(crate) mod found;
pub(crate) mod input;
pub(crate) mod installation;
pub(crate) mod manifest;
pub(crate) mod output;
pub(crate) mod search;
mod text;
mod variables;
