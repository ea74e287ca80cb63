//! The language: every field of the configuration, declared once.
//!
//! The reader, the reference documentation (`docs/reference/configuration.md`) and the schema
//! (`docs/reference/configuration.schema.json`) come from these declarations. The comments here are
//! the texts of the reference.

mod callers;
mod embed;
mod possession;
mod provider;
mod provisioning;
mod revocation;
mod shadow;
mod signature;
mod surfaces;

pub(super) use callers::{
    RawClaimNot, RawClaimRule, RawClaimTests, RawCondition, RawPrincipal, RawUser,
};
pub(super) use embed::RawEmbed;
pub(super) use possession::{RawCertificateRule, RawClientCertificates, RawDpopProofs};
pub(super) use provider::{
    RawClaimsAt, RawIntrospection, RawKeys, RawKind, RawProvider, RawUserInfo,
};
pub(super) use provisioning::RawProvisioning;
pub(super) use revocation::{RawPush, RawRevoked};
pub(super) use shadow::RawShadow;
pub(super) use signature::RawSignature;
pub(super) use surfaces::{
    RawApiKeyRule, RawBearerInDescription, RawEndpoints, RawPublicApi, RawTokenFrom, RawWebhook,
};

use super::defaults;
use super::field::{
    default_flag, default_text, default_word, fields_have_defaults, optional, required,
};
use super::read::{Entries, List, ListOrEmpty, Located, OneOf, OneOrMany};
use super::rules::{At, Demand, Rule, When};
use super::scopes::Scopes;
use super::secrets::SecretName;
use super::section::section;
use super::syntax::{HostName, N8nVersion, OuterPath, PageUri, Server, ShortName, Text};
use crate::n8n::{Line, Surface};
use crate::policy::{Access, AuditTo, CallerProperty, CryptoMode, RestAuth};

section! {
    /// The fields at the top.
    RawConfiguration at "Top level" {
        /// The identity providers, and how their tokens are checked. A token is checked by the rules
        /// of the one provider that its `iss` belongs to.
        providers: List<RawProvider> = required("name the provider whose tokens callers use"),
        /// Several instances of n8n, each with its own hosts, and with the fields of one n8n, which
        /// are not allowed at the top then. A request for any other host is refused.
        instances: List<RawInstance> = optional("one n8n, for every host"),
        /// The hosts under which clients know n8n, if there is one, written as those of an instance. The
        /// gate decides about their requests only.
        hosts: OneOrMany<Located<Text<HostName>>> = optional("the requests for every host are for n8n"),
        /// What happens to requests for hosts that are in no list. `deny` sends 421. `pass` is for
        /// a gateway that other applications share: the gate does not change these requests, not even
        /// their identity headers. Only if no route leads them to n8n. A request without one clear
        /// host gets 421.
        other_hosts: OneOf<Access> = default_word(defaults::OTHER_HOSTS),
        ..n8n: RawN8n,
        /// Which code checks signatures. `auto`: the host, for every algorithm in which it passes a
        /// test when the filter starts, and the filter itself for the others. `guest`: always the
        /// filter itself.
        crypto: OneOf<CryptoMode> = default_word(defaults::CRYPTO),
        /// Lets the workers of an Envoy share keys where there is no principal: `{ env: NAME }`,
        /// a variable with a random secret. The API keys of principals do the same.
        sharing_secret: SecretName = optional("without a principal, each worker fetches keys for itself"),
        /// Where the certificates of clients are, for tokens that are bound to one.
        client_certificates: RawClientCertificates = optional("in the TLS connection to Envoy"),
        /// How `DPoP` proofs are checked.
        dpop_proofs: RawDpopProofs = fields_have_defaults(),
        /// Tokens that are refused although they are good. A change of the configuration revokes them at
        /// once, also those that a worker remembers.
        revoked: List<RawRevoked> = optional("none"),
        /// Which requests leave an audit record, and where.
        audit: RawAudit = fields_have_defaults(),
        /// What Envoy learns about a verified caller, for access logs, rate limits and filters after this one:
        /// `principal`, `client` and `subject`. Envoy keeps each as filter state,
        /// `wasm.n8n_idp_gate.principal` and so on, and a request is refused if it does not. See
        /// [operation](../guides/operation.md#access-log).
        caller_properties: OneOrMany<OneOf<CallerProperty>> = optional("Envoy does not learn who called"),
        /// What the bodies of refusals say beside the reason.
        refusals: RawRefusals = fields_have_defaults(),
    }
    rules {
        Rule {
            when: When::Given("instances"),
            demand: Demand::Without(<RawN8n as super::section::Section>::OWN_NAMES),
            at: At::Each,
            // Whether it is meant for all instances or for other hosts would be a guess.
            problem: "is not allowed beside instances",
            hint: "move it into each instance that it is meant for",
        },
        Rule {
            when: When::Given("instances"),
            demand: Demand::Without(&["hosts"]),
            at: At::Each,
            problem: "is not allowed beside instances",
            hint: "write the hosts into each instance",
        },
        Rule {
            when: When::Given("other_hosts"),
            demand: Demand::AnyOf(&["hosts", "instances"]),
            at: At::Field("other_hosts"),
            problem: "has no effect without hosts: every host is n8n's",
            hint: "list the hosts of n8n in hosts, or remove it",
        },
    }
}

section! {
    /// The fields of one n8n: at the top, or in each of `instances`.
    RawN8n at "One n8n" {
        /// What a role or a scope of a token allows in n8n: from its name to n8n scopes.
        roles: Entries<Scopes> = optional("roles and scopes allow nothing"),
        /// As which user of n8n a caller acts. The first match applies; a caller without a match is
        /// refused. May be left out where only webhooks take tokens.
        principals: ListOrEmpty<Located<RawPrincipal>> = optional("no token opens the public API"),
        /// How the gate itself calls n8n, to make users and API keys for principals with `user`.
        n8n: RawProvisioning = optional("each principal has an `api_key`"),
        /// How the public API is guarded.
        public_api: RawPublicApi = fields_have_defaults(),
        /// How webhooks, forms and MCP triggers are guarded. The first match applies.
        webhooks: List<RawWebhook> = optional("they pass; n8n's own nodes guard them"),
        /// How n8n's internal API (`/rest`) is guarded. `pass`: n8n's sessions guard it. `bearer`: a
        /// request with a token acts by the session of its caller's `user`, if its roles or principal
        /// grant `rest`; requests without a token pass.
        rest: OneOf<RestAuth> = default_word(defaults::REST),
        /// Log-ins of browsers that pages of other origins begin, at `/rest/auth/embed`.
        embed: RawEmbed = optional("n8n's own route for them is not touched"),
        /// The version of n8n, or its first two numbers: which operations its public API has, and which scopes
        /// they need. See [versions](../guides/editions.md#versions) for other versions than these.
        n8n_version: Text<N8nVersion> = default_text(Line::default().as_str().to_owned()),
        /// Where n8n serves its surfaces, if not at the usual paths.
        endpoints: RawEndpoints = fields_have_defaults(),
        /// The origins that clients call, such as `https://n8n.example.com`. With it the gate takes tokens
        /// with `DPoP` proofs (RFC 9449): a proof names the URL of its request, and the gate cannot know
        /// from the request alone what the client called.
        public_origin: OneOrMany<Located<Text<Server>>> = optional("tokens with proofs are refused"),
        /// The path below which clients find n8n, such as `/n8n`, where a route removes it
        /// (`prefix_rewrite`). All paths of n8n are below it. It is part of `public_api.resource`, and
        /// of no path of a rule: those are n8n's own.
        path_prefix: Text<OuterPath> = optional("n8n is at the root of its hosts, and no route rewrites paths"),
        /// What happens to requests outside of `path_prefix`. `pass` only if no route leads them to
        /// n8n.
        outside: OneOf<Access> = default_word(defaults::OUTSIDE),
        /// Whether clients can reach `/metrics` of n8n.
        metrics: OneOf<Access> = default_word(defaults::METRICS),
        /// Whether clients can reach n8n's own authorization server: `/oauth`, `/mcp-oauth` and its
        /// documents below `/.well-known`. `deny` sends 404, so that MCP clients find no other
        /// provider than those of the gate; n8n's own MCP server takes no new clients then.
        oauth: OneOf<Access> = default_word(defaults::OAUTH),
        /// A second policy that decides about no request: fields of this n8n as they would be. Each stands in
        /// place of the field of the same name. Audit records and metrics say where it would decide
        /// otherwise. See [shadow, then enforce](../guides/shadow.md).
        shadow: RawShadow = optional("nothing is judged twice"),
    }
    rules {
        Rule {
            when: When::Given("embed"),
            demand: Demand::AnyOf(&["n8n"]),
            at: At::Field("embed"),
            problem: "needs n8n beside it: without it the gate cannot log a browser in",
            hint: "write n8n with cluster, api_key and seed",
        },
        Rule {
            when: When::Given("outside"),
            demand: Demand::AnyOf(&["path_prefix"]),
            at: At::Field("outside"),
            problem: "has no effect without path_prefix",
            hint: "remove it, or write path_prefix",
        },
    }
}

section! {
    /// Which requests leave an audit record, and where. Requests that are forwarded for a caller and
    /// requests that are refused always do.
    RawAudit at "audit" {
        /// The surfaces on which requests that pass leave an audit record: `[public_api, webhook]`
        /// leaves out the editor, its assets and all others. `outside` exists with `path_prefix` and with
        /// `other_hosts: pass`.
        surfaces: OneOrMany<OneOf<Surface>> = optional("all of them"),
        /// Where records go. `log`: to Envoy's log, at level `info` of the component `wasm`. `access_log`: to
        /// Envoy's access logs, which read the record as
        /// `%FILTER_STATE(wasm.n8n_idp_gate.audit:PLAIN)%`; a request that has one is refused if Envoy does
        /// not keep it. `both`. See [audit records](../guides/audit.md).
        to: OneOf<AuditTo> = default_word(defaults::AUDIT_TO),
    }
}

section! {
    /// What the body of a refusal says beside its reason. A caller whose token was verified is always told
    /// its own client id, if it has no principal, and a usual cause, if one is known.
    RawRefusals at "refusals" {
        /// A page with all reasons, such as your copy of the page `reasons`: the `type` of a refusal is this
        /// URL with the code of the reason after it (RFC 9457 section 3.1.1). It ends where the code
        /// begins, in most cases with `#` or `/`.
        types: Text<PageUri> = optional("refusals have no `type`"),
        /// Tell the sender of a token with another audience which ones are accepted.
        audiences: bool = default_flag(defaults::TELLS_AUDIENCES),
        /// Tell the sender of a token that was not verified a usual cause, too, if one is known: the `hint`
        /// of the audit record. It can say how a configured issuer differs from that of the token.
        hints: bool = default_flag(defaults::TELLS_HINTS),
    }
}

section! {
    /// One of several instances of n8n. All instances use the same providers and their keys.
    RawInstance at "instances[]" {
        /// Its name in audit records.
        name: Text<ShortName> = required("give it a short name, such as prod"),
        /// The hosts of the requests that are for this instance, without port and regardless of
        /// case. `*.` at the beginning stands for all hosts below a domain that no other entry
        /// names or narrows.
        hosts: OneOrMany<Located<Text<HostName>>> = required("list the hosts under which clients know it"),
        ..n8n: RawN8n,
    }
}
