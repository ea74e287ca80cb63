//! Formats of data, and text as it may be shown. Nothing here knows what the data is for.

pub mod form;
pub mod hex;
pub mod json;
pub mod members;
pub mod percent;
pub mod printable;
pub mod protobuf;
