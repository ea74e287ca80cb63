//! The call that asks a provider about a token.

use crate::facts::{Body, CallRequest};
use crate::formats::form;
use crate::policy::{Introspection, Protocol};
use crate::secret::Secret;
use crate::token::CompactToken;

/// What asks a provider about a token. The token is nowhere else once it is made.
pub fn status_request(asked: &Introspection, token: &CompactToken<'_>) -> CallRequest {
    let token = token.expose();
    let (endpoint, timeout) = (asked.endpoint.clone(), asked.timeout);
    match &asked.protocol {
        // RFC 7662 §2.1.
        Protocol::Introspection {
            authorization,
            form,
            ..
        } => {
            let rest = form.as_ref().map_or("", Secret::expose);
            let token = form::encoded(token);
            let fields = ["token=", &token, "&token_type_hint=access_token", rest];
            let body = Body::Form(Secret::new(fields.concat()));
            let request = CallRequest::post(endpoint, body, timeout);
            match authorization {
                Some(client) => request.with("authorization", client.clone()),
                None => request,
            }
        }
        // OpenID Connect Core 1.0 §5.3.1. Google's tokeninfo takes it from there too. Its
        // documentation puts it in the address, and addresses are written to logs.
        Protocol::UserInfo | Protocol::GoogleTokenInfo => {
            let bearer = Secret::new(["Bearer ", token].concat());
            CallRequest::get(endpoint, timeout).with("authorization", bearer)
        }
    }
}
