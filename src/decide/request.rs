//! A request, as far as it was read, and what a decision needs beyond that.

use super::connection::{Connection, UnknownConnection};
use crate::facts::Fact;
use crate::http::RequestHead;

/// A request, as far as it was read.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// Its head.
    pub head: &'r RequestHead,
    /// Its whole body; `None`: it was not read. Most decisions need none.
    pub body: Option<&'r [u8]>,
    /// The connection that it came over.
    pub connection: &'r dyn Connection,
}

/// Something without which a request cannot be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A fact that has to be fetched.
    Fact(Fact),
    /// The whole body of the request.
    Body {
        /// The longest body that the check reads. A longer one is never handed to a decision.
        max_bytes: usize,
    },
}

impl<'r> Request<'r> {
    /// A request of which only the head is known.
    pub const fn of_head(head: &'r RequestHead) -> Self {
        Self {
            head,
            body: None,
            connection: &UnknownConnection,
        }
    }

    /// The body, for a check that reads at most `max_bytes`, such as a signature over it.
    ///
    /// # Errors
    ///
    /// The body was not read, or it is longer.
    pub fn body(&self, max_bytes: usize) -> Result<&'r [u8], Need> {
        let body = self.body.filter(|body| body.len() <= max_bytes);
        body.ok_or(Need::Body { max_bytes })
    }
}
