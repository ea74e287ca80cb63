//! The call that asks a provider about a token.

use crate::facts::{CallId, FetchRequest};
use crate::formats::form;
use crate::policy::{Introspection, Protocol};
use crate::secret::Secret;
use crate::token::CompactToken;

/// The call that asks a provider about a token. The token is nowhere else once it is made.
pub fn question(call: CallId, asked: &Introspection, token: &CompactToken) -> FetchRequest {
    let token = token.expose();
    let mut authorization = None;
    let mut body = None;
    match &asked.protocol {
        // RFC 7662 §2.1.
        Protocol::Introspection {
            authorization: client,
            form,
            ..
        } => {
            authorization.clone_from(client);
            let rest = form.as_ref().map_or("", Secret::expose);
            let token = form::encoded(token);
            let fields = ["token=", &token, "&token_type_hint=access_token", rest];
            body = Some(fields.concat());
        }
        // OpenID Connect Core 1.0 §5.3.1. Google's tokeninfo takes it from there too: in the address,
        // which is where its documentation puts it, it would end in logs.
        Protocol::UserInfo | Protocol::GoogleTokenInfo => {
            authorization = Some(Secret::new(["Bearer ", token].concat()));
        }
    }
    FetchRequest {
        call,
        endpoint: asked.endpoint.clone(),
        timeout: asked.timeout,
        authorization,
        form: body.map(Secret::new),
    }
}
