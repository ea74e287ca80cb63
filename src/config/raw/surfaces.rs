//! The fields that guard the surfaces of an n8n.

use crate::config::choices::AuthWord;
use crate::config::defaults;
use crate::config::field::{default_flag, default_text, default_word, optional, required, Absence};
use crate::config::read::{List, ListOrEmpty, Located, OneOf, OneOrMany};
use crate::config::rules::{At, Demand, Rule, When};
use crate::config::section::section;
use crate::config::syntax::{
    ClusterName, CookieName, DocumentUri, FieldName, HostName, PathTemplate, Prefix, Resource,
    ScopeToken, Server, Text,
};
use crate::n8n::Endpoints;
use crate::policy::{ApiKeys, DpopUse, IdentityHeader, Preflight};

use super::{RawCertificateRule, RawCondition, RawSignature};

section! {
    /// How the public API is guarded.
    RawPublicApi at "public_api" {
        /// What happens to requests with an API key of n8n: `pass` leaves them as they are,
        /// `refuse` enforces single sign-on.
        api_keys: OneOf<ApiKeys> = default_word(defaults::API_KEYS),
        /// Exceptions from `api_keys` for some hosts and paths. The first match applies.
        rules: List<Located<RawApiKeyRule>> = optional("none"),
        /// Take a token of a provider in `X-N8N-API-KEY` as a bearer token, for tools that can send
        /// no other header. With `false` it is refused.
        tokens_in_api_key: bool = default_flag(defaults::TOKENS_IN_API_KEY),
        /// The identity headers (`x-auth-…`) that go with calls of the public API: `subject`, `client`, `issuer`,
        /// `kind`, `email`, `roles`, `scopes`, `principal`. n8n does not read them there, so each is work for
        /// nothing, unless a route or a proxy between the gate and n8n reads it. `[]` sends none. Those that a
        /// client sends are always removed.
        identity_headers: ListOrEmpty<OneOf<IdentityHeader>> = optional("`issuer`, by which the shipped routes know verified callers"),
        /// Take an API key of n8n that comes as `Authorization: Bearer`, and send it to n8n as
        /// `X-N8N-API-KEY`, where `api_keys` lets it pass.
        api_keys_in_bearer: bool = default_flag(defaults::API_KEYS_IN_BEARER),
        /// Let requests for n8n's own description of its public API pass without a credential, as n8n
        /// does: `openapi.yml` and the pages below `docs`. A credential is removed from them.
        public_description: bool = default_flag(defaults::PUBLIC_DESCRIPTION),
        /// Show in that description that bearer tokens are taken beside API keys. An empty map is enough
        /// if there is `n8n`.
        bearer_in_description: RawBearerInDescription = optional("the description is n8n's own"),
        /// The identifier of the public API as a protected resource (RFC 9728), such as
        /// `https://n8n.example.com/api/v1`, with `path_prefix` if there is one.
        resource: Text<Resource> = optional("taken from the request"),
        /// The OAuth scopes that the metadata names (RFC 9728 `scopes_supported`), as the provider
        /// knows them. Names under `roles` are not added: a provider refuses a client that asks for
        /// a role.
        scopes_supported: OneOrMany<Text<ScopeToken>> = optional("the metadata names none"),
        /// The name of the resource for people (RFC 9728 `resource_name`).
        resource_name: Text = optional("none"),
        /// A page about it, for developers (RFC 9728 `resource_documentation`).
        resource_documentation: Text<DocumentUri> = optional("none"),
    }
}

section! {
    /// How n8n's own description of its public API (`OpenAPI`) is shown with bearer tokens. The gate reads
    /// it from n8n, adds `BearerAuth` where `ApiKeyAuth` is, and changes nothing else. A description of
    /// a form that it does not know goes to clients as it is, with a warning.
    RawBearerInDescription at "public_api.bearer_in_description" {
        /// The Envoy cluster through which n8n is called.
        cluster: Text<ClusterName> = optional("that of `n8n`"),
        /// The address of n8n as this cluster expects it: scheme, host and port, without a path.
        uri: Text<Server> = optional("that of `n8n`, or `http://n8n`"),
        /// Name the token endpoints of the providers, as their discovery documents have them.
        token_endpoints: bool = default_flag(defaults::TOKEN_ENDPOINTS),
    }
    rules {
        Rule {
            when: When::Given("uri"),
            demand: Demand::AnyOf(&["cluster"]),
            at: At::Field("cluster"),
            problem: "is required beside uri",
            hint: "name the Envoy cluster of n8n, or remove uri",
        },
    }
}

section! {
    /// What happens to requests with an API key of n8n to one host, to some paths, or both. If
    /// the host of a request is unclear, or if only upper and lower case differ between two rules,
    /// the stricter result applies.
    RawApiKeyRule at "public_api.rules[]" {
        /// The host of the request, without port and regardless of case; `*.` at its beginning
        /// stands for all hosts below a domain. A client may name any host that Envoy routes to
        /// n8n, so that a host narrows what passes and proves nothing.
        host: Text<HostName> = optional("any"),
        /// The path as n8n has it, without `path_prefix`.
        path: Text<PathTemplate> = optional("any"),
        /// `pass` or `refuse`, as above. `refuse` for a host needs `refuse` above, too: with
        /// another host, a client would avoid the rule.
        api_keys: OneOf<ApiKeys> = required("write pass or refuse"),
    }
    rules {
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["host", "path"]),
            at: At::Object,
            problem: "matches every request",
            hint: "add host or path, or remove it",
        },
    }
}

section! {
    /// How webhooks, forms or MCP triggers under one path are guarded.
    RawWebhook at "webhooks[]" {
        /// The path as n8n has it, without `path_prefix`.
        path: Text<PathTemplate> = required("write the path as n8n has it, such as /webhook/orders/**"),
        /// Which requests pass: `open`, all (n8n's own node decides); `bearer`, those of callers
        /// with a good token; `signature`, those that a sender signed; `certificate`, those of clients
        /// with a certificate; `deny`, none.
        auth: OneOf<AuthWord> = optional("`bearer` with `require`, else **required**"),
        /// Which callers the token must belong to.
        require: RawCondition = optional("every caller with a good token"),
        /// Whether the token must come with a `DPoP` proof (RFC 9449): `required` refuses bearer tokens.
        dpop: OneOf<DpopUse> = default_word(defaults::DPOP),
        /// Where the token may be beside `Authorization`, for a webhook that a browser opens.
        token_from: RawTokenFrom = optional("in `Authorization` only"),
        /// The OAuth scopes that the metadata of the trigger names (RFC 9728 `scopes_supported`), as the
        /// provider knows them. MCP clients ask for all of them.
        scopes_supported: OneOrMany<Text<ScopeToken>> = optional("the metadata names none"),
        /// Send the token in `Authorization` on to the workflow.
        keep_authorization: bool = default_flag(defaults::KEEP_AUTHORIZATION),
        /// What happens to a CORS preflight, which cannot carry a token: `guard` refuses it like
        /// any request without one, `pass` lets it through.
        cors_preflight: OneOf<Preflight> = default_word(defaults::CORS_PREFLIGHT),
        /// How the deliveries of a sender are checked. **Required** with `auth: signature`.
        signature: RawSignature = optional("the rule is for no signed deliveries"),
        /// Which certificates of clients pass. **Required** with `auth: certificate`.
        certificate: RawCertificateRule = optional("the rule takes no certificates"),
    }
    rules {
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["auth", "require"]),
            at: At::Field("auth"),
            problem: "is required without require",
            hint: "write auth: bearer, signature, certificate, open or deny, or require with the callers that a token must belong to",
        },
        Rule {
            when: When::Is("auth", &["signature"]),
            demand: Demand::AnyOf(&["signature"]),
            at: At::Field("signature"),
            problem: "is required with auth: signature",
            hint: "write sender and secrets, such as { sender: github, secrets: [{ env: NAME }] }",
        },
        Rule {
            when: When::Is("auth", &["open", "bearer", "certificate", "deny"]),
            demand: Demand::Without(&["signature"]),
            at: At::Each,
            problem: "has no effect: the rule checks no signature",
            hint: "remove it, or write auth: signature",
        },
        Rule {
            when: When::Given("signature"),
            demand: Demand::AnyOf(&["auth"]),
            at: At::Field("auth"),
            problem: "is required beside signature",
            hint: "write auth: signature",
        },
        Rule {
            when: When::Is("auth", &["certificate"]),
            demand: Demand::AnyOf(&["certificate"]),
            at: At::Field("certificate"),
            problem: "is required with auth: certificate",
            hint: "write the names of the certificates, such as { uri: spiffe://example.com/partner }",
        },
        Rule {
            when: When::Is("auth", &["open", "bearer", "signature", "deny"]),
            demand: Demand::Without(&["certificate"]),
            at: At::Each,
            problem: "has no effect: the rule looks at no certificate",
            hint: "remove it, or write auth: certificate",
        },
        Rule {
            when: When::Given("certificate"),
            demand: Demand::AnyOf(&["auth"]),
            at: At::Field("auth"),
            problem: "is required beside certificate",
            hint: "write auth: certificate",
        },
        Rule {
            when: When::Is("auth", &["open", "signature", "certificate", "deny"]),
            demand: Demand::Without(&[
                "require", "dpop", "token_from", "scopes_supported", "keep_authorization", "cors_preflight",
            ]),
            at: At::Each,
            problem: "has no effect: the rule takes no token",
            hint: "remove it, or write auth: bearer",
        },
    }
}

section! {
    /// Where a browser sends the token, which cannot set a header when a person opens a page. The token
    /// reaches no workflow from there.
    RawTokenFrom at "webhooks[].token_from" {
        /// The cookie of this name. It does not count for a request from another site, except for a
        /// link to the page.
        cookie: Text<CookieName> = optional("in no cookie"),
        /// The field of this name in the query, such as `access_token` (RFC 6750 section 2.3).
        /// Addresses are in histories, bookmarks and logs: use short-lived tokens.
        query: Text<FieldName> = optional("not in the query"),
    }
    rules {
        Rule {
            when: When::Given("cookie"),
            demand: Demand::Without(&["query"]),
            at: At::Each,
            problem: "contradicts cookie: the token is in one of them",
            hint: "remove one of the two",
        },
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["cookie", "query"]),
            at: At::Object,
            problem: "names neither a cookie nor a field of the query",
            hint: "write cookie: __Host-n8n-token, or query: access_token",
        },
    }
}

section! {
    /// Where n8n serves its surfaces: path prefixes without slashes at their ends, without
    /// regard to case. Each has the variable of n8n's environment that sets it.
    RawEndpoints at "endpoints" {
        /// `N8N_PUBLIC_API_ENDPOINT`.
        api: Text<Prefix> = usual(|usual| usual.api),
        /// `N8N_ENDPOINT_REST`.
        rest: Text<Prefix> = usual(|usual| usual.rest),
        /// `N8N_ENDPOINT_WEBHOOK`.
        webhook: Text<Prefix> = usual(|usual| usual.webhook),
        /// `N8N_ENDPOINT_WEBHOOK_TEST`.
        webhook_test: Text<Prefix> = usual(|usual| usual.webhook_test),
        /// `N8N_ENDPOINT_WEBHOOK_WAIT`.
        webhook_waiting: Text<Prefix> = usual(|usual| usual.webhook_waiting),
        /// `N8N_ENDPOINT_FORM`.
        form: Text<Prefix> = usual(|usual| usual.form),
        /// `N8N_ENDPOINT_FORM_TEST`.
        form_test: Text<Prefix> = usual(|usual| usual.form_test),
        /// `N8N_ENDPOINT_FORM_WAIT`.
        form_waiting: Text<Prefix> = usual(|usual| usual.form_waiting),
        /// `N8N_ENDPOINT_MCP`.
        mcp: Text<Prefix> = usual(|usual| usual.mcp),
        /// `N8N_ENDPOINT_MCP_TEST`.
        mcp_test: Text<Prefix> = usual(|usual| usual.mcp_test),
    }
}

/// The prefix may be absent, and then is the one that n8n has without its variable.
fn usual(pick: impl Fn(Endpoints) -> String) -> Absence<Text<Prefix>> {
    default_text(pick(Endpoints::default()))
}
