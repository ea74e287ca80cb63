//! The fields that match callers: principals, conditions and rules on claims.

use crate::config::choices::PerWord;
use crate::config::field::{optional, required};
use crate::config::read::{List, Located, OneOf, OneOrMany, OnlyTrue};
use crate::config::rules::{At, Demand, Rule, When};
use crate::config::scalar::Scalar;
use crate::config::scopes::Scopes;
use crate::config::secrets::SecretName;
use crate::config::section::section;
use crate::config::syntax::{Email, EmailDomain, PrincipalName, Text};
use crate::identity::{ClaimPath, Kind};

section! {
    /// As which user of n8n a caller acts.
    RawPrincipal at "principals[]" {
        /// Its name in headers and audit records.
        name: Text<PrincipalName> = required("give it a short name, such as my-daemon"),
        /// Which callers it matches.
        r#match: RawCondition = required("say which callers it matches; any: true matches every caller with a good token"),
        /// n8n scopes that it always has, in addition to those of its roles.
        grant: Scopes = optional("what its roles allow"),
        /// The most that it may do in n8n, for any roles.
        allow: Scopes = optional("all that its roles allow"),
        /// The n8n API key of that user: `{ env: NAME }`, the name of an environment variable of
        /// the virtual machine. The secret itself is never in the configuration.
        api_key: SecretName = optional("the gate makes a key, for the user in `user`"),
        /// Several API keys of that user, in place of `api_key`: the current one, and the next. If n8n
        /// refuses one, or if it has expired, the next one is used.
        api_keys: List<Located<SecretName>> = optional("there is one, in `api_key`"),
        /// The user of n8n, for which the gate makes API keys itself. Needs `n8n`.
        user: RawUser = optional("that of `api_key`"),
    }
    rules {
        Rule {
            when: When::Given("user"),
            demand: Demand::Without(&["api_key", "api_keys"]),
            at: At::Each,
            problem: "contradicts user, for which the gate makes keys itself",
            hint: "remove it, or remove user",
        },
        Rule {
            when: When::Given("api_keys"),
            demand: Demand::Without(&["api_key"]),
            at: At::Each,
            problem: "contradicts api_keys",
            hint: "write it as the first of api_keys",
        },
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["api_key", "api_keys", "user"]),
            at: At::Field("api_key"),
            problem: "is required if there is no user",
            hint: "write { env: NAME } and pass the variable NAME to the VM, or have the gate make keys with user",
        },
    }
}

section! {
    /// The user of n8n as which the callers of a principal act. If n8n has no such user, the gate
    /// makes it, as a member. An existing user must have a password that the gate set, so that no
    /// mistake hands out the key of another account.
    RawUser at "principals[].user" {
        /// One user for all of them, with this e-mail address.
        email: Text<Email> = optional("a user for each `per`"),
        /// A user for each OAuth client, each `sub`, each group that `match` lists, or each tenant.
        /// A caller in several of these groups acts as the user of the first one.
        per: OneOf<PerWord> = optional("the user with the address in `email`"),
    }
    rules {
        Rule {
            when: When::Given("email"),
            demand: Demand::Without(&["per"]),
            at: At::Each,
            problem: "contradicts email, which is one user for all of them",
            hint: "remove it, or remove email",
        },
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["email", "per"]),
            at: At::Object,
            problem: "names no user",
            hint: "write email: svc@example.com, or per: client",
        },
    }
}

section! {
    /// Which callers a rule matches. Every field that is there must hold; of the values of a
    /// field, one is enough. Values are compared exactly, e-mail addresses without regard to
    /// case.
    RawCondition at "match and require" {
        /// The name of a provider.
        provider: OneOrMany<Located<Text>> = optional("any"),
        /// The OAuth client that got the token.
        client: OneOrMany<Text> = optional("any"),
        /// `sub` of the token. Unique within one provider only.
        subject: OneOrMany<Text> = optional("any"),
        /// An application that acts for itself, or a person. A caller whose token does not say is
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
        claims: List<Located<RawClaimRule>> = optional("none"),
        /// `true`, and no other field: every caller with a good token.
        any: OnlyTrue = optional("one of the other fields is required"),
    }
    rules {
        Rule {
            when: When::Given("any"),
            demand: Demand::Without(&[
                "provider", "client", "subject", "kind", "email", "email_domain", "tenant",
                "roles", "scopes", "groups", "claims",
            ]),
            at: At::Field("any"),
            problem: "contradicts the other fields beside it",
            hint: "remove any, or the other fields",
        },
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&[
                "provider", "client", "subject", "kind", "email", "email_domain", "tenant",
                "roles", "scopes", "groups", "claims", "any",
            ]),
            at: At::Object,
            problem: "would match every caller",
            hint: "say which callers it matches, or write any: true if every caller is meant",
        },
    }
}

section! {
    /// A rule on one claim. Every part of it that is there must hold. A rule fails if the claim is
    /// absent or `null`, or of another type than what it is compared with; that is also true of
    /// `not`. Strings, whole numbers and booleans are compared exactly. A whole number is the same
    /// as a number and as the text of its plain digits, in the rule and in the token: Envoy itself
    /// makes text of what does not fit in 32 bits. Other numbers (`7.0`, `1e3`) are refused if they
    /// arrive as numbers, and are text, with a warning, if Envoy makes text of them.
    RawClaimRule at "claims[]" {
        /// The claim. `realm_access.roles` is `roles` in `realm_access`; names with dots in them
        /// need a list: `[kubernetes.io, namespace]`.
        claim: ClaimPath = required("name a claim, such as repository or realm_access.roles"),
        ..tests: RawClaimTests,
        /// `true`: it is there. `false`: it is not, and nothing else is in the rule.
        exists: bool = optional("not checked"),
        /// It is there, can be compared, and none of these holds.
        not: RawClaimNot = optional("not checked"),
    }
    rules {
        Rule {
            when: When::IsFalse("exists"),
            demand: Demand::Without(&["equals", "one_of", "contains", "prefix", "suffix", "not"]),
            at: At::Object,
            problem: "can never hold: an absent claim has no value",
            hint: "remove exists: false, or everything else",
        },
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&[
                "equals", "one_of", "contains", "prefix", "suffix", "exists", "not",
            ]),
            at: At::Object,
            problem: "has no test of the claim",
            hint: "add equals, one_of, contains, prefix, suffix, exists or not",
        },
    }
}

section! {
    /// The tests of a claim: in a rule, or in its `not`.
    RawClaimTests at "Tests of a claim" {
        /// It has this value.
        equals: Scalar = optional("not checked"),
        /// It has one of these values.
        one_of: List<Scalar> = optional("not checked"),
        /// It is an array that has this value.
        contains: Scalar = optional("not checked"),
        /// It is a string that begins with this.
        prefix: Text = optional("not checked"),
        /// It is a string that ends with this.
        suffix: Text = optional("not checked"),
    }
}

section! {
    /// What must not hold for a claim.
    RawClaimNot at "claims[].not" {
        ..tests: RawClaimTests,
    }
    rules {
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["equals", "one_of", "contains", "prefix", "suffix"]),
            at: At::Object,
            problem: "must not be an empty map",
            hint: "say what must not hold",
        },
    }
}
