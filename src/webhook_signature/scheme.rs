//! How a sender signs.

use std::borrow::Cow;

use super::mac::Hash;
use super::template::{Part, Template};
use super::time::TimeFormat;

/// How a sender signs.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// The headers, in each of their namings. One request has those of one naming.
    pub(super) namings: Vec<Naming>,
    /// How the header of the signature is written.
    pub(super) layout: Layout,
    /// How a signature in it is written.
    pub(super) encoding: Encoding,
    /// The hash of the HMAC. It is never taken from the request, so that no client can choose a weaker
    /// one.
    pub(super) hash: Hash,
    /// What is signed.
    pub(super) signed: Signed,
    /// How the timestamp is written, if there is one.
    pub(super) time_format: Option<TimeFormat>,
    /// The methods that the sender uses.
    pub(super) methods: Methods,
    /// The headers in which the sender sends a secret as it is, whether this scheme reads them or not.
    pub(super) secret_headers: &'static [&'static str],
}

/// The names of the headers of a scheme, in lower case.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    /// That of the signature.
    pub(super) signature: Cow<'static, str>,
    /// That of the timestamp; `None`: there is none, or the signature's has it.
    pub(super) timestamp: Option<Cow<'static, str>>,
    /// Those that may name the delivery. The first that is there counts.
    pub(super) ids: Vec<Cow<'static, str>>,
}

/// How the header of the signature is written.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    /// One signature after this text: `sha256=…`.
    One {
        /// The text before it.
        prefix: Cow<'static, str>,
    },
    /// Names and values: `t=…,v1=…,v1=…`.
    Pairs {
        /// The name of a signature.
        signature: Cow<'static, str>,
        /// The name of the timestamp, if it is here.
        timestamp: Option<Cow<'static, str>>,
    },
    /// Versions and signatures, with a space between each two: `v1,… v1a,…`.
    Versioned,
    /// The secret itself. Nothing is signed.
    Token,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits, in either case.
    Hex,
    /// Base64 (RFC 4648 §4).
    Base64,
}

/// What is signed.
#[derive(Clone, Debug)]
pub(super) enum Signed {
    /// These parts, one after the other.
    Parts(Template),
    /// What Twilio signs.
    Twilio,
}

/// The methods that a sender uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Methods {
    /// `POST`.
    Post,
    /// `GET` and `POST`.
    GetAndPost,
    /// All of them: the method is signed.
    Any,
}

impl Methods {
    /// As `Allow` lists them (RFC 9110 §10.2.1).
    pub(super) const fn names(self) -> &'static str {
        match self {
            Self::Post | Self::Any => "POST",
            Self::GetAndPost => "GET, POST",
        }
    }

    pub(super) fn allow(self, method: &[u8]) -> bool {
        match self {
            Self::Post => method == b"POST",
            Self::GetAndPost => method == b"GET" || method == b"POST",
            Self::Any => true,
        }
    }
}

impl Signed {
    /// Whether this part is signed.
    pub(super) fn has(&self, part: &Part) -> bool {
        match self {
            Self::Parts(template) => template.has(part),
            Self::Twilio => *part == Part::Url,
        }
    }

    /// The text that follows the id.
    pub(super) fn after_id(&self) -> Option<&str> {
        match self {
            Self::Parts(template) => template.after_id(),
            Self::Twilio => None,
        }
    }
}

impl Scheme {
    /// The same with another hash.
    #[must_use]
    pub const fn with_hash(mut self, hash: Hash) -> Self {
        self.hash = hash;
        self
    }

    /// Whether the URL is signed as the sender called it.
    pub fn signs_url(&self) -> bool {
        self.signed.has(&Part::Url)
    }

    /// Whether the sender signs the time, so that what was recorded is not good for long.
    pub const fn has_time(&self) -> bool {
        self.time_format.is_some()
    }

    /// The headers that hold the secret itself, which no workflow may see.
    pub const fn secret_headers(&self) -> &'static [&'static str] {
        self.secret_headers
    }
}
