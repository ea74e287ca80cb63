//! The scheme of a sender that the gate does not know by name.

use super::mac::Hash;
use super::scheme::{Encoding, Layout, Methods, Naming, Scheme, Signed};
use super::template::{Part, Template};
use super::time::TimeFormat;

/// What an operator writes about a sender that signs with an HMAC. Names of headers are in lower case.
#[derive(Clone, Debug)]
pub struct HmacScheme {
    /// The header of the signature.
    pub header: String,
    /// Where in it the signature is.
    pub written: Written,
    /// How it is written.
    pub encoding: Encoding,
    /// The hash.
    pub hash: Hash,
    /// What is signed.
    pub signed: Template,
    /// The header of the timestamp, if it has one of its own.
    pub timestamp_header: Option<String>,
    /// How the timestamp is written.
    pub time_format: TimeFormat,
    /// The header of the delivery id.
    pub id_header: Option<String>,
}

/// Where the signature is in its header.
#[derive(Clone, Debug)]
pub enum Written {
    /// After this text, which may be empty.
    AfterPrefix(String),
    /// In pairs of names and values.
    InPairs {
        /// The name of a signature.
        signature: String,
        /// The name of the timestamp, if it is there.
        timestamp: Option<String>,
    },
}

impl From<HmacScheme> for Scheme {
    fn from(hmac: HmacScheme) -> Self {
        let in_pairs = matches!(
            hmac.written,
            Written::InPairs {
                timestamp: Some(_),
                ..
            }
        );
        let has_time = in_pairs || hmac.timestamp_header.is_some();
        let methods = if hmac.signed.has(&Part::Method) {
            Methods::Any
        } else {
            Methods::Post
        };
        Self {
            namings: vec![Naming {
                signature: hmac.header.into(),
                timestamp: hmac.timestamp_header.map(Into::into),
                ids: hmac.id_header.into_iter().map(Into::into).collect(),
            }],
            layout: match hmac.written {
                Written::AfterPrefix(prefix) => Layout::One {
                    prefix: prefix.into(),
                },
                Written::InPairs {
                    signature,
                    timestamp,
                } => Layout::Pairs {
                    signature: signature.into(),
                    timestamp: timestamp.map(Into::into),
                },
            },
            encoding: hmac.encoding,
            hash: hmac.hash,
            signed: Signed::Parts(hmac.signed),
            time_format: has_time.then_some(hmac.time_format),
            methods,
            secret_headers: &[],
        }
    }
}
