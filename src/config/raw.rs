//! The language: every field of the configuration, declared once.
//!
//! The comments here are the reference documentation (`docs/reference/configuration.md`).

use super::address::{DocumentUri, Issuer, Resource};
use super::choices::{AudienceClaim, ClientAuth};
use super::condition::{Email, EmailDomain};
use super::defaults::{
    self, ClockSkew, DiscoveryTtl, InactiveTtl, IntrospectionTtl, KeysCooldown, KeysGrace,
    KeysMaxStale, KeysMaxTtl, KeysMinTtl, KeysTimeout, KeysTtl,
};
use super::duration::Span;
use super::endpoints::{as_n8n_has_it, OuterPath, Prefix};
use super::issuers::{Domain, Segment};
use super::keys::InlineKeys;
use super::name::{ClusterName, HostName, PrincipalName, ProviderName};
use super::read::{Entries, List, ListOrEmpty, Located, OneOf, OneOrMany, Text};
use super::scopes::{ScopeToken, Scopes};
use super::secrets::SecretName;
use super::section::{
    default_flag, default_span, default_word, fields_have_defaults, optional, required, section,
};
use crate::crypto::Algorithm;
use crate::identity::{ClaimRule, ClaimsAt, Dialect, Kind};
use crate::policy::{Access, ApiKeys, CryptoMode, Preflight, RolesFrom, WebhookAuth};
use crate::token::TypRule;

section! {
    /// The fields at the top.
    RawConfiguration at "Top level" {
        /// Who issues tokens, and how they are checked. A token is checked by the rules of the
        /// one provider that its `iss` belongs to.
        providers: List<RawProvider> = required("name the issuer whose tokens are to open n8n"),
        /// Several instances of n8n, each with its own hosts and the fields from `roles` to
        /// `metrics`, which do not stand at the top then. A request for any other host is refused.
        instances: List<RawInstance> = optional("one n8n, for every host"),
        /// What a role or a scope of a token allows in n8n: from its name to n8n scopes.
        /// `workflow:*` stands for all of a resource; `*` for everything, operations that this
        /// filter does not know among them.
        roles: Entries<Scopes> = optional("roles and scopes allow nothing"),
        /// Whom a caller becomes in n8n. The first match wins; whoever matches none is refused.
        /// May be left out where webhooks alone take tokens.
        principals: ListOrEmpty<Located<RawPrincipal>> = optional("nobody gets at the public API with a token"),
        /// How the public API is guarded.
        public_api: RawPublicApi = fields_have_defaults(),
        /// How webhooks, forms and MCP triggers are guarded. The first match wins.
        webhooks: List<RawWebhook> = optional("they pass; n8n's own nodes guard them"),
        /// Where n8n serves its surfaces, if not at the usual places.
        endpoints: RawEndpoints = fields_have_defaults(),
        /// The path below which callers find n8n, such as `/n8n`, where a route takes it off
        /// (`prefix_rewrite`): all of n8n is judged below it. It stands in `public_api.resource`,
        /// and in no path of a rule: those are n8n's own.
        path_prefix: Text<OuterPath> = optional("n8n is at the root of its host, and no route rewrites paths"),
        /// What becomes of requests outside of `path_prefix`. `pass` only where no route leads them
        /// to n8n.
        outside: OneOf<Access> = default_word(defaults::OUTSIDE),
        /// Whether `/metrics` of n8n can be reached.
        metrics: OneOf<Access> = default_word(defaults::METRICS),
        /// Whether n8n's own authorization server can be reached: `/oauth`, `/mcp-oauth` and its
        /// documents below `/.well-known`. `deny` answers 404, so that MCP clients look for no
        /// other provider than those of the gate; n8n's own MCP server takes no new clients then.
        oauth: OneOf<Access> = default_word(defaults::OAUTH),
        /// Who checks signatures. `auto`: the host, in every algorithm for which it passes a test
        /// when the filter starts, and the filter itself in the others. `guest`: the filter
        /// itself, always.
        crypto: OneOf<CryptoMode> = default_word(defaults::CRYPTO),
        /// Lets the workers of an Envoy share keys where there is no principal: `{ env: NAME }`,
        /// a variable that holds a random secret. Principals' keys do the same.
        sharing_secret: SecretName = optional("without a principal, each worker fetches keys for itself"),
        /// Which requests leave an audit record.
        audit: RawAudit = optional("every request does"),
    }
}

section! {
    /// Which requests leave an audit record. Those that go on in the name of a caller and those that
    /// are refused always do.
    RawAudit at "audit" {
        /// The surfaces on which requests that pass leave one: `[public_api, webhook]` leaves out the
        /// editor, its assets and everything else. There are `public_api`, `webhook`, `webhook_test`,
        /// `webhook_waiting`, `form`, `chat`, `agent`, `mcp`, `oauth`, `rest`, `metrics`, `health`,
        /// `ui` and, with `path_prefix`, `outside`.
        surfaces: OneOrMany<Text> = optional("all of them"),
    }
}

section! {
    /// One of several instances of n8n. Providers and their keys serve all of them.
    RawInstance at "instances[]" {
        /// Its name in the audit.
        name: Text<ProviderName> = required("give it a short name, such as prod"),
        /// The hosts that clients ask for when they mean it, without port and regardless of case.
        /// `*.` at the beginning stands for all hosts below a domain that nobody names or narrows.
        hosts: OneOrMany<Located<Text<HostName>>> = required("list the hosts under which clients know it"),
        /// As at the top, for this instance alone.
        roles: Entries<Scopes> = optional("roles and scopes allow nothing"),
        /// As at the top, for this instance alone.
        principals: ListOrEmpty<Located<RawPrincipal>> = optional("nobody gets at the public API with a token"),
        /// As at the top, for this instance alone.
        public_api: RawPublicApi = fields_have_defaults(),
        /// As at the top, for this instance alone.
        webhooks: List<RawWebhook> = optional("they pass; n8n's own nodes guard them"),
        /// As at the top, for this instance alone.
        endpoints: RawEndpoints = fields_have_defaults(),
        /// As at the top, for this instance alone.
        path_prefix: Text<OuterPath> = optional("n8n is at the root of its hosts, and no route rewrites paths"),
        /// As at the top, for this instance alone.
        outside: OneOf<Access> = default_word(defaults::OUTSIDE),
        /// As at the top, for this instance alone.
        metrics: OneOf<Access> = default_word(defaults::METRICS),
        /// As at the top, for this instance alone.
        oauth: OneOf<Access> = default_word(defaults::OAUTH),
    }
}

section! {
    /// An issuer of tokens. Its keys come from exactly one place: its discovery document
    /// (`cluster` alone), a known address (`cluster` and `jwks_uri`), or the configuration
    /// (`jwks`).
    RawProvider at "providers[]" {
        /// Its name in principals, headers, audit and metrics.
        name: Text<ProviderName> = required("give it a short name, such as entra"),
        /// Where its claims are. `oidc` reads the claims of the OpenID and OAuth standards.
        r#type: OneOf<Dialect> = default_word(defaults::DIALECT),
        /// Where its claims are instead, one by one.
        claims_at: ClaimsAt = optional("where `type` has them"),
        /// The `iss` of its tokens, compared byte by byte: a trailing slash matters. Several
        /// where one provider has several; the first one's discovery document is read.
        issuer: OneOrMany<Located<Text<Issuer>>> = optional("made of `tenant`, `domain` and `realm`; **required** with `oidc` and `kubernetes`"),
        /// The tenant id of Entra, or `organizations` for several tenants; the environment id of
        /// Ping.
        tenant: Text<Segment> = optional("`issuer` says it"),
        /// The host of Okta, Auth0, Keycloak (with the path that it lives under, if any),
        /// authentik or WorkOS, without `https://`.
        domain: Text<Domain> = optional("`login.microsoftonline.com` with `entra`, `auth.pingone.com` with `ping`"),
        /// The realm of Keycloak, the authorization server of Okta, the slug of an application of
        /// authentik.
        realm: Text<Segment> = optional("`default` with `okta`"),
        /// What tokens must be for: `aud` has to hold one of these.
        audiences: OneOrMany<Text> = required(
            "write the aud of the tokens that are meant for n8n; without it, any token of the issuer would do",
        ),
        /// The claim that stands for `aud` in tokens that have none, and has to be one of
        /// `audiences` then. An `aud` that names nobody (`[]`, an empty text, `null`) is none; a
        /// token with an `aud` that names somebody is judged by that alone.
        audience_claim: OneOf<AudienceClaim> = optional("tokens without `aud` are refused"),
        /// The OAuth clients whose tokens are taken (`azp`, `appid`, `client_id`, `cid`).
        clients: OneOrMany<Text> = optional("any client whose token has the audience"),
        /// The tenants whose callers are taken.
        tenants: OneOrMany<Text> = optional("any; **required** with `tenant: organizations`"),
        /// The domains whose callers are taken: of a verified e-mail address, or Google's `hd`.
        /// An application that has no address is not taken then.
        allowed_domains: OneOrMany<Text<EmailDomain>> = optional("any, or none"),
        /// Rules on claims, all of which must hold.
        claims: List<ClaimRule> = optional("none"),
        /// The signature algorithms that are taken. `none` and the HMAC family cannot be named.
        algorithms: OneOrMany<OneOf<Algorithm>> = optional("all of them"),
        /// How far the provider's clock may be from this one.
        clock_skew: Span<ClockSkew> = default_span(),
        /// How an access token is told from other tokens. `at+jwt`: it says so itself
        /// (RFC 9068). `any_access_token`: `typ` may also be `JWT` or absent; what says that it
        /// is another kind (an ID token, a log-out token, a refresh token) is refused.
        /// `id_token`: ID tokens are taken, and access tokens that say that they are one are
        /// not; for providers whose access tokens are no JWTs.
        typ: OneOf<TypRule> = default_word(defaults::TYP),
        /// Take `email` as verified though the token does not say so (`email_verified`; with
        /// Entra `xms_edov`). Only
        /// where every address in the provider's directory is known to be its owner's.
        trust_email: bool = default_flag(defaults::TRUST_EMAIL),
        /// How its tokens say whether an application or a person calls, where `type` does not know.
        kind: RawKind = optional("what `type` knows"),
        /// Which names of its tokens count under `roles`: those of `roles`, of `scopes`, or of
        /// `both`. Some providers grant whatever scope a client asks for.
        roles_from: OneOf<RolesFrom> = optional("`both`, with a warning"),
        /// Take tokens without `sub` (RFC 9068 requires one) that name their client. Callers of one
        /// client are one caller then.
        accept_no_subject: bool = default_flag(defaults::ACCEPT_NO_SUBJECT),
        /// The Envoy cluster through which the provider is called.
        cluster: Text<ClusterName> = optional("nothing is fetched; needs `jwks`"),
        /// The address of the discovery document.
        discovery_uri: Text<DocumentUri> = optional("the first issuer and `/.well-known/openid-configuration`"),
        /// The address of the key set, in place of a discovery document.
        jwks_uri: Text<DocumentUri> = optional("the discovery document says it"),
        /// The Envoy cluster for the key set, where the discovery document puts it on another
        /// host.
        jwks_cluster: Text<ClusterName> = optional("the same as `cluster`"),
        /// The key set itself, as a map or as a string of JSON.
        jwks: InlineKeys = optional("it is fetched"),
        /// Key ids (`kid`) that never count, whatever the provider publishes: tokens that name
        /// one are refused at once.
        revoked_kids: OneOrMany<Text> = optional("none"),
        /// When keys are fetched, kept and given up.
        keys: RawKeys = fields_have_defaults(),
        /// Ask the provider about tokens that are not JWTs (RFC 7662), or about all. Without
        /// `cluster` and `jwks` beside it, JWTs of this provider are refused.
        introspection: RawIntrospection = optional("tokens that are not JWTs are refused"),
        /// Ask the provider whose a token is, where it has no introspection. In place of
        /// `introspection`.
        userinfo: RawUserInfo = optional("tokens that are not JWTs are refused"),
        /// What the provider's opaque tokens begin with. A token with the prefix of one provider
        /// is shown to no other.
        token_prefix: OneOrMany<Text> = optional("tokens that have nobody's prefix are shown to each provider without one, in turn"),
    }
}

section! {
    /// How applications and people are told. Where both hold, or neither does, the caller is
    /// `unknown`, and no rule with `kind` matches. Choose claims that the provider alone writes.
    RawKind at "providers[].kind" {
        /// Rules on claims, all of which hold for an application that acts for itself.
        app: List<ClaimRule> = optional("what `type` knows"),
        /// Rules on claims, all of which hold for a person.
        user: List<ClaimRule> = optional("what `type` knows"),
    }
}

section! {
    /// How the provider is asked whether a token is active (RFC 7662). The answer passes the same
    /// checks as the claims of a JWT, `audiences` among them.
    RawIntrospection at "providers[].introspection" {
        /// The address of its introspection endpoint.
        uri: Text<DocumentUri> = required("write the introspection_endpoint of the discovery document"),
        /// The Envoy cluster through which it is called.
        cluster: Text<ClusterName> = optional("the provider's `cluster`"),
        /// The id of the client that the gate is at the provider.
        client_id: Text = required("register a client for the gate at the provider"),
        /// Its secret: `{ env: NAME }`, a variable of the virtual machine's environment.
        client_secret: SecretName = required("write { env: NAME } and pass the variable NAME to the VM"),
        /// Where id and secret are sent (RFC 6749 section 2.3.1).
        auth: OneOf<ClientAuth> = default_word(defaults::CLIENT_AUTH),
        /// Ask about JWTs too, once their signature was found good: a token that was revoked is
        /// refused within `ttl`.
        always: bool = default_flag(defaults::INTROSPECT_ALWAYS),
        /// Take an answer that does not say that the token is an access token (`token_type`, `typ` or
        /// `token_use`). Refresh tokens are active, too, and would open n8n: only where the provider
        /// calls them inactive, or where `token_prefix` names what access tokens alone begin with.
        accept_untyped: bool = default_flag(defaults::ACCEPT_UNTYPED),
        /// How long an active answer is held, and no longer than the `exp` in it.
        ttl: Span<IntrospectionTtl> = default_span(),
        /// How long an inactive one is.
        inactive_ttl: Span<InactiveTtl> = default_span(),
        /// How long one call may take.
        timeout: Span<KeysTimeout> = default_span(),
    }
}

section! {
    /// How the provider is asked whose a token is, with the token itself.
    RawUserInfo at "providers[].userinfo" {
        /// The address of its userinfo endpoint (OpenID Connect Core section 5.3); with
        /// `type: google`, of tokeninfo.
        uri: Text<DocumentUri> = required("write the userinfo_endpoint of the discovery document"),
        /// The Envoy cluster through which it is called.
        cluster: Text<ClusterName> = optional("the provider's `cluster`"),
        /// Take a token whichever application it was given to: a userinfo answer does not say.
        /// Any application that a user logs in to could then call n8n in the user's name.
        /// **Required** to be `true`, but with `type: google`, where tokeninfo names audience and
        /// expiry, and both are checked.
        accept_any_audience: bool = default_flag(defaults::ANY_AUDIENCE),
        /// How long an answer is held, and no longer than the `exp` in it.
        ttl: Span<IntrospectionTtl> = default_span(),
        /// How long a refusal is.
        inactive_ttl: Span<InactiveTtl> = default_span(),
        /// How long one call may take.
        timeout: Span<KeysTimeout> = default_span(),
    }
}

section! {
    /// When the keys of a provider are fetched, kept and given up.
    RawKeys at "providers[].keys" {
        /// Age at which they are fetched again, in the background, when the provider does not say
        /// how long its answer is fresh (`Cache-Control: max-age`). Up to a tenth is taken off, so
        /// that a fleet does not ask at once.
        ttl: Span<KeysTtl> = default_span(),
        /// The least that a provider's `max-age` counts for. No more than `ttl`.
        min_ttl: Span<KeysMinTtl> = optional("`1m`, or `ttl` if that is shorter"),
        /// The most that a provider's `max-age` counts for. No less than `ttl`. The same as
        /// `min_ttl`: what the provider says does not count.
        max_ttl: Span<KeysMaxTtl> = optional("`15m`, but no less than `ttl` and no more than `max_stale`"),
        /// Age at which they are given up when they could not be fetched again. At least `ttl` and
        /// `max_ttl`.
        max_stale: Span<KeysMaxStale> = default_span(),
        /// How long one call may take; a fetch is one call, or two with a discovery document.
        timeout: Span<KeysTimeout> = default_span(),
        /// In this time, tokens with unknown key ids cause at most four fetches, and those from one
        /// address three. For one and the same key id, the time until the next one doubles each
        /// time, from a tenth of this.
        cooldown: Span<KeysCooldown> = default_span(),
        /// How long a key that left the published set still counts. Longer rides out a provider
        /// whose document flaps, as Entra's does; a key that was taken back for cause counts as
        /// long, too. An emptied set and `revoked_kids` count at once.
        grace: Span<KeysGrace> = optional("`0s`; `24h` with `type: entra`"),
        /// Age at which the discovery document is read again. It is read sooner when the keys
        /// cannot be had where it says.
        discovery_ttl: Span<DiscoveryTtl> = default_span(),
    }
}

section! {
    /// Whom a caller becomes in n8n.
    RawPrincipal at "principals[]" {
        /// Its name in headers and audit.
        name: Text<PrincipalName> = required("give it a short name, such as my-daemon"),
        /// Which callers it stands for.
        r#match: RawCondition = required("say whom it stands for; any: true stands for every caller with a good token"),
        /// n8n scopes that it has whatever its roles are.
        grant: Scopes = optional("what its roles allow"),
        /// The most that it may do in n8n, whatever its roles are.
        allow: Scopes = optional("all that its roles allow"),
        /// The n8n API key that stands for it: `{ env: NAME }`, the name of an environment
        /// variable of the virtual machine. Secrets are named, never written.
        api_key: SecretName = required("write { env: NAME } and pass the variable NAME to the VM"),
    }
}

section! {
    /// Which callers a rule speaks of. Every field that is there must hold; of the values of a
    /// field, one is enough. Values are compared exactly, e-mail addresses without regard to
    /// case.
    RawCondition at "match and require" {
        /// The name of a provider.
        provider: OneOrMany<Located<Text>> = optional("any"),
        /// The OAuth client that got the token.
        client: OneOrMany<Text> = optional("any"),
        /// `sub` of the token. Unique within one provider only.
        subject: OneOrMany<Text> = optional("any"),
        /// An application that acts for itself, or a person. A caller whose token does not tell is
        /// neither.
        kind: OneOf<Kind> = optional("any"),
        /// A verified e-mail address.
        email: OneOrMany<Text<Email>> = optional("any, or none"),
        /// The domain of a verified e-mail address. Subdomains are other domains.
        email_domain: OneOrMany<Text<EmailDomain>> = optional("any, or none"),
        /// The tenant or organisation.
        tenant: OneOrMany<Text> = optional("any"),
        /// Roles, of which the caller must have one.
        roles: OneOrMany<Text> = optional("any"),
        /// Scopes, of which the token must have one.
        scopes: OneOrMany<Text> = optional("any"),
        /// Groups, of which the caller must be in one.
        groups: OneOrMany<Text> = optional("any"),
        /// Rules on claims, all of which must hold.
        claims: List<ClaimRule> = optional("none"),
        /// `true`, and no other field: every caller with a good token.
        any: bool = optional("one of the other fields is required"),
    }
}

section! {
    /// How the public API is guarded.
    RawPublicApi at "public_api" {
        /// What becomes of calls with an API key of n8n: `pass` leaves them as they are,
        /// `refuse` enforces single sign-on.
        api_keys: OneOf<ApiKeys> = default_word(defaults::API_KEYS),
        /// Exceptions from `api_keys` for some hosts and paths. The first match wins.
        rules: List<Located<RawApiKeyRule>> = optional("none"),
        /// The identifier of the public API as a protected resource (RFC 9728), such as
        /// `https://n8n.example.com/api/v1`, with `path_prefix` if there is one.
        resource: Text<Resource> = optional("taken from the request"),
        /// The scopes that clients are told to ask their provider for (RFC 9728
        /// `scopes_supported`), as it knows them. Names under `roles` are not told by themselves:
        /// a client that asked for a role would be refused by its provider.
        scopes_supported: OneOrMany<Text<ScopeToken>> = optional("clients are told none"),
        /// What clients tell people that the resource is called (RFC 9728 `resource_name`).
        resource_name: Text = optional("none"),
        /// A page about it, for developers (RFC 9728 `resource_documentation`).
        resource_documentation: Text<DocumentUri> = optional("none"),
    }
}

section! {
    /// What becomes of calls with an API key of n8n to one host, to some paths, or both. Where
    /// the host of a request is unclear, or only upper and lower case tell two rules apart, the
    /// stricter answer holds.
    RawApiKeyRule at "public_api.rules[]" {
        /// The host that the client asked for, without port and regardless of case; `*.` at its
        /// beginning stands for all hosts below a domain. A client may ask for any host that
        /// Envoy leads to n8n, so that a host narrows what passes and proves nothing.
        host: Text<HostName> = optional("any; one of `host` and `path` is required"),
        /// The path as n8n has it, without `path_prefix`. `*` stands for one segment, `**` at the
        /// end for any number of them.
        path: Text = optional("any"),
        /// `pass` or `refuse`, as above. `refuse` for a host needs `refuse` above, too: another
        /// host would get around it.
        api_keys: OneOf<ApiKeys> = required("write pass or refuse"),
    }
}

section! {
    /// How webhooks, forms or MCP triggers under one path are guarded.
    RawWebhook at "webhooks[]" {
        /// The path as n8n has it, without `path_prefix`. `*` stands for one segment, `**` at the
        /// end for any number of them.
        path: Text = required("write the path as n8n has it, such as /webhook/orders/**"),
        /// Who may come in: `open`, everybody (n8n's own node decides); `bearer`, callers with a
        /// good token; `deny`, nobody.
        auth: OneOf<WebhookAuth> = optional("`bearer` where `require` is there, else **required**"),
        /// Whom the token must belong to.
        require: RawCondition = optional("anybody with a good token"),
        /// Hand the token on to the workflow.
        keep_authorization: bool = default_flag(defaults::KEEP_AUTHORIZATION),
        /// What becomes of a CORS preflight, which cannot carry a token: `guard` refuses it like
        /// any request without one, `pass` lets it through.
        cors_preflight: OneOf<Preflight> = default_word(defaults::CORS_PREFLIGHT),
    }
}

section! {
    /// Where n8n serves its surfaces: path prefixes without slashes at their ends, without
    /// regard to case. Each has the variable of n8n's environment that sets it there.
    RawEndpoints at "endpoints" {
        /// `N8N_PUBLIC_API_ENDPOINT`.
        api: Text<Prefix> = as_n8n_has_it(|usual| usual.api),
        /// `N8N_ENDPOINT_REST`.
        rest: Text<Prefix> = as_n8n_has_it(|usual| usual.rest),
        /// `N8N_ENDPOINT_WEBHOOK`.
        webhook: Text<Prefix> = as_n8n_has_it(|usual| usual.webhook),
        /// `N8N_ENDPOINT_WEBHOOK_TEST`.
        webhook_test: Text<Prefix> = as_n8n_has_it(|usual| usual.webhook_test),
        /// `N8N_ENDPOINT_WEBHOOK_WAIT`.
        webhook_waiting: Text<Prefix> = as_n8n_has_it(|usual| usual.webhook_waiting),
        /// `N8N_ENDPOINT_FORM`.
        form: Text<Prefix> = as_n8n_has_it(|usual| usual.form),
        /// `N8N_ENDPOINT_FORM_TEST`.
        form_test: Text<Prefix> = as_n8n_has_it(|usual| usual.form_test),
        /// `N8N_ENDPOINT_FORM_WAIT`.
        form_waiting: Text<Prefix> = as_n8n_has_it(|usual| usual.form_waiting),
        /// `N8N_ENDPOINT_MCP`.
        mcp: Text<Prefix> = as_n8n_has_it(|usual| usual.mcp),
        /// `N8N_ENDPOINT_MCP_TEST`.
        mcp_test: Text<Prefix> = as_n8n_has_it(|usual| usual.mcp_test),
    }
}
