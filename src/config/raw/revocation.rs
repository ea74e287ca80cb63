//! The fields about tokens that are revoked.

use crate::config::defaults::RevocationKeep;
use crate::config::duration::Span;
use crate::config::field::{default_span, optional, required};
use crate::config::read::{Located, OneOrMany};
use crate::config::rules::{At, Demand, Rule, When};
use crate::config::section::section;
use crate::config::syntax::{Moment, OuterPath, Text};

section! {
    /// Tokens that are refused although they are good. All fields of an entry must hold, and each of them
    /// names one value or several. Values are compared byte by byte, as the provider writes them; the
    /// audit record shows them. See [revocation](../guides/revocation.md).
    RawRevoked at "revoked[]" {
        /// The providers of the tokens.
        provider: OneOrMany<Located<Text>> = optional("all of them"),
        /// `sub`: all tokens of a caller.
        sub: OneOrMany<Text> = optional("any, or none"),
        /// All tokens of an OAuth client (`azp`, `appid`, `client_id`, `cid`).
        client: OneOrMany<Text> = optional("any, or none"),
        /// `sid`: all tokens of a session at the provider.
        sid: OneOrMany<Text> = optional("any, or none"),
        /// `jti`: one token.
        jti: OneOrMany<Text> = optional("any, or none"),
        /// `kid`: all tokens that a key signed. Without `before`, `revoked_kids` of the provider does the
        /// same before the signature is checked.
        kid: OneOrMany<Text> = optional("any, or none"),
        /// Tokens that were issued (`iat`) at this time or later are accepted. A token without `iat` is not.
        before: Text<Moment> = optional("it does not matter when a token was issued"),
    }
    rules {
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["sub", "client", "sid", "jti", "kid", "before"]),
            at: At::Object,
            problem: "would revoke every token for ever",
            hint: "write sub, client, sid, jti or kid; or before, with the time up to which all tokens are revoked",
        },
    }
}

section! {
    /// Where a provider tells the gate that sessions have ended. It sends `POST` requests to a path of
    /// n8n, which the gate takes in every instance. Needs `sharing_secret`, and Envoy must hand over
    /// bodies. See [revocation](../guides/revocation.md).
    RawPush at "providers[].logout and providers[].events" {
        /// What the event is for, its `aud`: with `logout` the ids of the OAuth clients with which people
        /// log in, and at which this address is registered; with `events` what the stream was made with.
        audience: OneOrMany<Text> = required("write the aud of what the provider sends: with logout, the id of the client that has this address"),
        /// The path, below `path_prefix`.
        path: Text<OuterPath> = optional("`/n8n-idp-gate/logout/NAME` or `/n8n-idp-gate/events/NAME`, with the name of the provider"),
        /// How long the gate knows what was revoked. No shorter than the longest lifetime of a token.
        keep: Span<RevocationKeep> = default_span(),
    }
}
