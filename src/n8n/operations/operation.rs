//! One row of the table of operations.

use std::fmt;

use crate::n8n::line::Lines;
use crate::n8n::scope::Scope;

/// One operation of n8n's public API.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The lines of n8n that have it, and ask for this.
    pub(super) lines: Lines,
    /// The method.
    pub method: Method,
    /// The path below `/api/v1`.
    pub(super) segments: &'static [Segment],
    pub(super) name: &'static str,
    /// The API-key scopes that are needed, all of them: those that n8n asks for, and those of
    /// everything else that a body or query can make it do, because the gate reads neither.
    pub scopes: &'static [Scope],
}

/// The operations whose paths begin with one segment, as n8n tries them.
pub(super) struct Group {
    /// The segment, in lower case.
    pub(super) first: &'static str,
    pub(super) operations: &'static [Operation],
}

/// A segment of the path of an operation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Itself, in lower case.
    Literal(&'static str),
    /// Any segment. It has a name.
    Parameter(&'static str),
}

/// The method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are the methods of HTTP")]
pub enum Method {
    Delete,
    Get,
    Patch,
    Post,
    Put,
}

impl Method {
    /// The method of the operation that a request calls; `None`: no operation has it.
    ///
    /// Express runs the handler of `GET` for `HEAD`.
    pub(super) const fn of(method: &[u8]) -> Option<Self> {
        Some(match method {
            b"DELETE" => Self::Delete,
            b"GET" | b"HEAD" => Self::Get,
            b"PATCH" => Self::Patch,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            _ => return None,
        })
    }

    /// The method, in capitals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Segment {
    /// Express compares literals without regard to case, and lets a parameter be any segment.
    pub(super) const fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(own) => own.eq_ignore_ascii_case(segment),
            Self::Parameter(_) => true,
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(own) => write!(out, "/{own}"),
            Self::Parameter(name) => write!(out, "/{{{name}}}"),
        }
    }
}
