//! The fields of a provider.

use crate::config::choices::{AudienceClaim, ClientAuth};
use crate::config::claim_path::ClaimPaths;
use crate::config::defaults::{
    self, ClockSkew, DiscoveryTtl, InactiveTtl, IntrospectionTtl, KeysCooldown, KeysGrace,
    KeysMaxStale, KeysMaxTtl, KeysMinTtl, KeysTimeout, KeysTtl,
};
use crate::config::duration::Span;
use crate::config::field::{
    default_flag, default_span, default_word, fields_have_defaults, optional, required,
};
use crate::config::keys::InlineKeys;
use crate::config::read::{List, Located, OneOf, OneOrMany};
use crate::config::rules::{At, Demand, Rule, When};
use crate::config::secrets::SecretName;
use crate::config::section::section;
use crate::config::syntax::{
    ClusterName, DocumentUri, Domain, EmailDomain, Issuer, Segment, ShortName, Text,
};
use crate::crypto::Algorithm;
use crate::identity::Dialect;
use crate::policy::{DpopUse, RolesFrom};
use crate::token::TypRule;

use super::{RawClaimRule, RawPush};

/// Envoy calls clusters only.
const NAME_CLUSTER: &str = "name the Envoy cluster of the provider: URLs alone are never called";

const KEYS_ARE_INLINE: &str = "has no effect beside jwks, which is never fetched";

section! {
    /// An identity provider. Its keys come from exactly one source: its discovery document
    /// (`cluster` alone), a known URL (`cluster` and `jwks_uri`), or the configuration (`jwks`).
    RawProvider at "providers[]" {
        /// Its name in principals, headers, audit records and metrics.
        name: Text<ShortName> = required("give it a short name, such as entra"),
        /// Where its claims are. `oidc` reads the claims of the OpenID and OAuth standards.
        r#type: OneOf<Dialect> = default_word(defaults::DIALECT),
        /// Where its claims are instead, one by one.
        claims_at: RawClaimsAt = optional("where `type` has them"),
        /// The `iss` of its tokens, compared byte by byte: a trailing slash counts. Several
        /// if one provider has several; the discovery document of the first one is read.
        issuer: OneOrMany<Located<Text<Issuer>>> = optional("made of `tenant`, `domain` and `realm`; **required** with `oidc` and `kubernetes`"),
        /// The tenant id of Entra, or `organizations` for several tenants; the environment id of
        /// Ping.
        tenant: Text<Segment> = optional("`issuer` has it"),
        /// The host of Okta, Auth0, Keycloak (with the path below which it is served, if any),
        /// authentik or WorkOS, without `https://`.
        domain: Text<Domain> = optional("`login.microsoftonline.com` with `entra`, `auth.pingone.com` with `ping`"),
        /// The realm of Keycloak, the authorization server of Okta, the slug of an application of
        /// authentik.
        realm: Text<Segment> = optional("`default` with `okta`"),
        /// What tokens must be for: `aud` must have one of these.
        audiences: OneOrMany<Text> = required(
            "write the aud of the tokens that are meant for n8n; without it, any token of the issuer would be good",
        ),
        /// The claim that replaces `aud` in tokens that have none; it must be one of `audiences`
        /// then. An empty `aud` (`[]`, an empty text, `null`) is none; a token with an `aud` that
        /// names an audience is checked by that alone.
        audience_claim: OneOf<AudienceClaim> = optional("tokens without `aud` are refused"),
        /// The OAuth clients whose tokens are taken (`azp`, `appid`, `client_id`, `cid`).
        clients: OneOrMany<Text> = optional("any client whose token has the audience"),
        /// The tenants whose callers are taken.
        tenants: OneOrMany<Text> = optional("any; **required** with `tenant: organizations`"),
        /// The domains whose callers are taken: of a verified e-mail address, or Google's `hd`.
        /// An application without an address is not taken then.
        allowed_domains: OneOrMany<Text<EmailDomain>> = optional("any, or none"),
        /// Rules on claims, all of which must hold.
        claims: List<Located<RawClaimRule>> = optional("none"),
        /// The signature algorithms that are taken. `none` and the HMAC family cannot be named.
        algorithms: OneOrMany<OneOf<Algorithm>> = optional("all of them"),
        /// How far the clock of the provider may differ from that of Envoy.
        clock_skew: Span<ClockSkew> = default_span(),
        /// How an access token differs from other tokens. `at+jwt`: it has this `typ` (RFC 9068).
        /// `any_access_token`: `typ` may also be `JWT` or absent; a token that names another kind
        /// (an ID token, a logout token, a refresh token) is refused. `id_token`: ID tokens are
        /// taken, and tokens that say that they are access tokens are not; for providers whose
        /// access tokens are no JWTs.
        typ: OneOf<TypRule> = default_word(defaults::TYP),
        /// Take `email` as verified although the token does not say so (`email_verified`; with
        /// Entra `xms_edov`). Only if every address in the provider's directory is known to belong
        /// to its user.
        trust_email: bool = default_flag(defaults::TRUST_EMAIL),
        /// How its tokens say whether an application or a person calls, if `type` does not know.
        kind: RawKind = optional("what `type` knows"),
        /// Which names of its tokens count under `roles`: those of `roles`, of `scopes`, or of
        /// `both`. Some providers grant every scope that a client asks for.
        roles_from: OneOf<RolesFrom> = optional("`both`, with a warning"),
        /// Whether its tokens must come with `DPoP` proofs (RFC 9449): `required` refuses its bearer
        /// tokens. A token that is bound to a key needs a proof in any case.
        dpop: OneOf<DpopUse> = default_word(defaults::DPOP),
        /// Take tokens without `sub` (RFC 9068 requires one) that name their client. All callers of
        /// one client are one caller then.
        accept_no_subject: bool = default_flag(defaults::ACCEPT_NO_SUBJECT),
        /// The Envoy cluster through which the provider is called.
        cluster: Text<ClusterName> = optional("nothing is fetched; needs `jwks`"),
        /// The URL of the discovery document.
        discovery_uri: Text<DocumentUri> = optional("the first issuer and `/.well-known/openid-configuration`"),
        /// The URL of the key set, instead of a discovery document.
        jwks_uri: Text<DocumentUri> = optional("the discovery document has it"),
        /// The Envoy cluster for the key set, if the discovery document has it on another host.
        jwks_cluster: Text<ClusterName> = optional("the same as `cluster`"),
        /// The key set itself, as a map or as a string of JSON.
        jwks: InlineKeys = optional("it is fetched"),
        /// Key ids (`kid`) that never count, even if the provider publishes them: tokens that name
        /// one are refused at once.
        revoked_kids: OneOrMany<Text> = optional("none"),
        /// When keys are fetched, and how long they are used.
        keys: RawKeys = fields_have_defaults(),
        /// Ask the provider for the status of tokens that are not JWTs (RFC 7662), or of all tokens.
        /// Without `cluster` and `jwks` beside it, JWTs of this provider are refused.
        introspection: RawIntrospection = optional("tokens that are not JWTs are refused"),
        /// Ask the provider for the profile of a token's user, if it has no introspection. Instead
        /// of `introspection`.
        userinfo: RawUserInfo = optional("tokens that are not JWTs are refused"),
        /// What the provider's opaque tokens begin with. A token with the prefix of one provider
        /// is sent to no other.
        token_prefix: OneOrMany<Text> = optional("tokens without a known prefix are sent to each provider without one, in turn"),
        /// Where the provider sends log-out tokens (OpenID Connect Back-Channel Logout 1.0).
        logout: RawPush = optional("it sends none"),
        /// Where the provider sends security events: the end of a session and the like (OpenID SSF 1.0,
        /// CAEP 1.0, RFC 8935).
        events: RawPush = optional("it sends none"),
    }
    rules {
        Rule {
            when: When::Given("issuer"),
            demand: Demand::Without(&["tenant", "domain", "realm"]),
            at: At::Each,
            problem: "has no effect beside issuer",
            hint: "remove it, or remove issuer to have the issuer made of it",
        },
        Rule {
            when: When::Given("jwks"),
            demand: Demand::Without(&["discovery_uri", "jwks_uri", "jwks_cluster"]),
            at: At::Each,
            problem: KEYS_ARE_INLINE,
            hint: "remove it, or remove jwks to have the keys fetched",
        },
        Rule {
            when: When::Given("jwks_uri"),
            demand: Demand::Without(&["discovery_uri", "jwks_cluster"]),
            at: At::Each,
            problem: "has no effect beside jwks_uri, which is called through cluster",
            hint: "remove it, or remove jwks_uri to have the discovery document read",
        },
        Rule {
            when: When::Given("jwks_uri"),
            demand: Demand::AnyOf(&["cluster"]),
            at: At::Field("cluster"),
            problem: "is required beside jwks_uri",
            hint: NAME_CLUSTER,
        },
        Rule {
            when: When::Given("discovery_uri"),
            demand: Demand::AnyOf(&["cluster"]),
            at: At::Field("cluster"),
            problem: "is required beside discovery_uri",
            hint: NAME_CLUSTER,
        },
        Rule {
            when: When::Given("jwks_cluster"),
            demand: Demand::AnyOf(&["cluster"]),
            at: At::Field("cluster"),
            problem: "is required beside jwks_cluster",
            hint: NAME_CLUSTER,
        },
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["cluster", "jwks", "introspection", "userinfo"]),
            at: At::Field("cluster"),
            problem: "is required without jwks",
            hint: NAME_CLUSTER,
        },
        Rule {
            when: When::Given("introspection"),
            demand: Demand::Without(&["userinfo"]),
            at: At::Each,
            problem: "has no effect beside introspection",
            hint: "remove one of the two: introspection says more",
        },
        Rule {
            when: When::Given("token_prefix"),
            demand: Demand::AnyOf(&["introspection", "userinfo"]),
            at: At::Field("token_prefix"),
            problem: "has no effect if the provider is not asked about tokens",
            hint: "remove it, or add introspection",
        },
    }
}

section! {
    /// Where roles, groups and the like are, if not where `type` reads them. A field replaces all
    /// positions that `type` has: nothing is read from those any more. Choose claims that only the
    /// provider writes. A list of names is one path (`[https://example.com/roles]`), and a list of
    /// such lists is several (`[[roles], [role]]`). Names of roles and groups are the texts of an
    /// array, one text as it is (blanks and commas are part of the name), or the keys of an object
    /// whose values are `true` or an object that is not empty. Everything else (numbers, `null`,
    /// arrays and objects within an array) gives nothing.
    RawClaimsAt at "providers[].claims_at" {
        /// Roles. With several paths, the roles of all of them count.
        roles: ClaimPaths = optional("where `type` has them"),
        /// Groups. With several paths, the groups of all of them count.
        groups: ClaimPaths = optional("`groups`"),
        /// Scopes: an array, or one text with a space between each two. With several paths, the
        /// scopes of all of them count. Not read from userinfo responses.
        scopes: ClaimPaths = optional("where `type` has them"),
        /// The OAuth client, a text. Of several paths, those that exist must agree. Not read from
        /// userinfo responses.
        client: ClaimPaths = optional("where `type` has it"),
        /// The tenant, a text. Of several paths, the first that exists.
        tenant: ClaimPaths = optional("where `type` has it"),
        /// The e-mail address. Of several paths, the first that exists. Needs `trust_email: true`,
        /// because `email_verified` is about `email` alone; if it is `false`, this address does not
        /// count either.
        email: ClaimPaths = optional("`email`"),
    }
    rules {
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["roles", "groups", "scopes", "client", "tenant", "email"]),
            at: At::Object,
            problem: "has no field",
            hint: "write where claims are, or remove it",
        },
    }
}

section! {
    /// How tokens of applications and of people differ. If both lists hold, or neither does, the
    /// caller is `unknown`, and no rule with `kind` matches. Choose claims that only the provider
    /// writes.
    RawKind at "providers[].kind" {
        /// Rules on claims, all of which hold for an application that acts for itself.
        app: List<Located<RawClaimRule>> = optional("what `type` knows"),
        /// Rules on claims, all of which hold for a person.
        user: List<Located<RawClaimRule>> = optional("what `type` knows"),
    }
    rules {
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["app", "user"]),
            at: At::Object,
            problem: "has no field",
            hint: "write how tokens of applications (app) or of people (user) are recognized, or both",
        },
    }
}

section! {
    /// How the gate asks the provider whether a token is active (RFC 7662). The claims of the
    /// response pass the same checks as those of a JWT, `audiences` included.
    RawIntrospection at "providers[].introspection" {
        /// The URL of its introspection endpoint.
        uri: Text<DocumentUri> = required("write the introspection_endpoint of the discovery document"),
        /// The Envoy cluster through which it is called.
        cluster: Text<ClusterName> = optional("the provider's `cluster`"),
        /// The id of the OAuth client as which the gate calls the provider.
        client_id: Text = required("register a client for the gate at the provider"),
        /// Its secret: `{ env: NAME }`, a variable of the virtual machine's environment.
        client_secret: SecretName = required("write { env: NAME } and pass the variable NAME to the VM"),
        /// Where id and secret are sent (RFC 6749 section 2.3.1).
        auth: OneOf<ClientAuth> = default_word(defaults::CLIENT_AUTH),
        /// Ask for the status of JWTs too, after their signature was checked: a token that was
        /// revoked is refused within `ttl`.
        always: bool = default_flag(defaults::INTROSPECT_ALWAYS),
        /// Take a response that does not say that the token is an access token (`token_type`, `typ`
        /// or `token_use`). Refresh tokens are active, too, and would open n8n: only if the provider
        /// calls them inactive, or if only access tokens begin with `token_prefix`.
        accept_untyped: bool = default_flag(defaults::ACCEPT_UNTYPED),
        /// How long an active response is kept; never longer than the `exp` in it.
        ttl: Span<IntrospectionTtl> = default_span(),
        /// How long an inactive response is kept.
        inactive_ttl: Span<InactiveTtl> = default_span(),
        /// How long one call may take.
        timeout: Span<KeysTimeout> = default_span(),
    }
}

section! {
    /// How the gate asks the provider for the profile of a token's user, with the token itself.
    RawUserInfo at "providers[].userinfo" {
        /// The URL of its userinfo endpoint (OpenID Connect Core section 5.3); with
        /// `type: google`, of tokeninfo.
        uri: Text<DocumentUri> = required("write the userinfo_endpoint of the discovery document"),
        /// The Envoy cluster through which it is called.
        cluster: Text<ClusterName> = optional("the provider's `cluster`"),
        /// Take a token of any application: a userinfo response does not name the audience.
        /// Any application that a user logs in to could then call n8n in the user's name.
        /// **Required** to be `true`, except with `type: google`, where tokeninfo names audience and
        /// expiry, and both are checked.
        accept_any_audience: bool = default_flag(defaults::ANY_AUDIENCE),
        /// How long a response is kept; never longer than the `exp` in it.
        ttl: Span<IntrospectionTtl> = default_span(),
        /// How long a response that refuses the token is kept.
        inactive_ttl: Span<InactiveTtl> = default_span(),
        /// How long one call may take.
        timeout: Span<KeysTimeout> = default_span(),
    }
}

section! {
    /// When the keys of a provider are fetched, and how long they are used.
    RawKeys at "providers[].keys" {
        /// Age at which they are fetched again, in the background, if the provider does not say
        /// how long its response is fresh (`Cache-Control: max-age`). Each worker takes up to a tenth
        /// off, so that not all ask at once.
        ttl: Span<KeysTtl> = default_span(),
        /// The least that a provider's `max-age` counts for. No more than `ttl`.
        min_ttl: Span<KeysMinTtl> = optional("`1m`, or `ttl` if that is shorter"),
        /// The most that a provider's `max-age` counts for. No less than `ttl`. The same as
        /// `min_ttl`: the provider's `max-age` does not count.
        max_ttl: Span<KeysMaxTtl> = optional("`15m`, but no less than `ttl` and no more than `max_stale`"),
        /// Age at which they are no longer used if they could not be fetched again. At least `ttl`
        /// and `max_ttl`.
        max_stale: Span<KeysMaxStale> = default_span(),
        /// How long one call may take; a fetch is one call, or two with a discovery document.
        timeout: Span<KeysTimeout> = default_span(),
        /// In this time, tokens with unknown key ids cause at most four fetches, and those from one
        /// address three. For one and the same key id, the time until the next fetch doubles each
        /// time, from a tenth of this.
        cooldown: Span<KeysCooldown> = default_span(),
        /// How long a removed key stays usable. Longer bridges a key set in which keys disappear and
        /// come back, as Entra's does; a key that was removed because it leaked stays usable as
        /// long, too. An emptied set and `revoked_kids` count at once.
        grace: Span<KeysGrace> = optional("`0s`; `24h` with `type: entra`"),
        /// Age at which the discovery document is read again. It is read sooner if the keys cannot
        /// be fetched from the URL in it.
        discovery_ttl: Span<DiscoveryTtl> = default_span(),
    }
}
