//! Refusals because the `Authorization` header cannot be read.

use crate::reply::challenge::{Challenge, INVALID_REQUEST};
use crate::reply::table::faults;
use crate::token::BearerFault;

faults! {
    BearerFault {
        Duplicated => {
            status: 400,
            challenge: INVALID_REQUEST,
            code: "duplicate_authorization",
            detail: "Send exactly one Authorization header.",
            meaning: "more than one `Authorization` header",
            remedy: "find the client library or proxy that adds a second `Authorization`",
        }
        Malformed => {
            status: 400,
            challenge: INVALID_REQUEST,
            code: "malformed_authorization",
            detail: "The Authorization header is not of the form: Bearer TOKEN.",
            meaning: "the `Authorization` header is not of the form `Bearer TOKEN`",
            remedy: "write `Bearer`, one blank and the token; look for an empty variable in the script",
        }
    }
}
