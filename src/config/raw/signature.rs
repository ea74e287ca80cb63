//! The fields of a rule for signed deliveries.

use crate::config::choices::{SecretEncoding, SenderWord};
use crate::config::defaults::{self, MaxBody, SignatureTolerance};
use crate::config::duration::Span;
use crate::config::field::{default_span, default_word, optional, required, Absence};
use crate::config::read::{List, Located, OneOf};
use crate::config::rules::{At, Demand, Rule, When};
use crate::config::secrets::SecretName;
use crate::config::section::section;
use crate::config::size::Size;
use crate::config::syntax::{Resource, ShortName, SignedTemplate, Text};
use crate::policy::Replay;
use crate::webhook_signature::{Encoding, Hash, TimeFormat};

/// The senders that the gate knows by name, but for Twilio, which has two hashes.
const NAMED: &[&str] = &[
    "github",
    "stripe",
    "slack",
    "workos",
    "standard_webhooks",
    "shopify",
    "gitlab",
    "zoom",
    "meta",
];

const KNOWN: &str = "has no effect: the gate knows how this sender signs";

const REMOVE_IT: &str = "remove it, or write sender: hmac for a sender that signs in another way";

section! {
    /// How the deliveries of one sender are checked. The body is held back until its signature is good;
    /// it is compared as it was sent, compressed or not. Needs `allow_on_headers_stop_iteration: true` in
    /// the configuration of the Envoy plugin.
    RawSignature at "webhooks[].signature" {
        /// Which sender, or `hmac` with the fields below. `standard_webhooks` is for Svix, too, and for
        /// all others that follow the specification.
        sender: OneOf<SenderWord> = required("write the sender, or hmac"),
        /// Its secrets, each as `{ env: NAME }`: several while they are rotated. Any of them is enough.
        /// With `standard_webhooks`, as the sender shows them: after `whsec_`, or after `whpk_` for a
        /// public key. With `gitlab`, its signing token (`whsec_…`), or its secret token.
        secrets: List<Located<SecretName>> = required("write [{ env: NAME }] and pass the variable NAME to the VM"),
        /// The caller's name for the workflow (`x-auth-principal`) and in audit records.
        name: Text<ShortName> = optional("the same as `sender`"),
        /// How far the time of a delivery may be from now. Where the sender signs no time, how long a
        /// delivery is remembered.
        tolerance: Span<SignatureTolerance> = default_span(),
        /// What happens to a delivery that was forwarded within `tolerance` before.
        replay: OneOf<Replay> = default_word(defaults::REPLAY),
        /// The longest body.
        max_body: Size<MaxBody> = Absence::Default(Size::default()),
        /// The URL under which the sender calls the gate, up to the path as the gate sees it. Signed by
        /// Twilio, and where `signed` has `{url}`.
        public_url: Text<Resource> = optional("no URL is signed"),
        /// The verify token of Meta, as `{ env: NAME }`: the gate answers the question of Meta whether the
        /// URL knows it.
        verify_token: SecretName = optional("such a question is refused"),
        /// The header of the signature. **Required** with `hmac`.
        header: Text<ShortName> = optional("that of the sender"),
        /// The text before the signature in its header. A blank may follow it if it ends with a letter.
        prefix: Text = optional("none"),
        /// The name of the signature, where the header holds pairs: `v1` in `t=…,v1=…`. Pairs with other
        /// names do not count.
        signature_key: Text<ShortName> = optional("the header is the signature"),
        /// The name of the timestamp in the same header.
        timestamp_key: Text<ShortName> = optional("`timestamp_header` has it, or none is sent"),
        /// The header of the timestamp.
        timestamp_header: Text<ShortName> = optional("`timestamp_key` names it, or none is sent"),
        /// How the timestamp is written.
        timestamp_format: OneOf<TimeFormat> = default_word(defaults::TIME_FORMAT),
        /// The header of the delivery id.
        id_header: Text<ShortName> = optional("none is sent"),
        /// How the signature is written.
        encoding: OneOf<Encoding> = default_word(defaults::SIGNATURE_ENCODING),
        /// The hash of the HMAC. It is never taken from the request.
        hash: OneOf<Hash> = optional("`sha256`; with `twilio`, `sha1`"),
        /// What is signed: text with `{body}`, `{timestamp}`, `{id}`, `{url}`, `{path}` (with the query)
        /// and `{method}`. Without `{method}`, only `POST` is taken.
        signed: Text<SignedTemplate> = optional("`{body}`"),
        /// How the secrets are written.
        secret_encoding: OneOf<SecretEncoding> = default_word(defaults::SECRET_ENCODING),
    }
    rules {
        Rule {
            when: When::Is("sender", NAMED),
            demand: Demand::Without(&[
                "header", "prefix", "signature_key", "timestamp_key", "timestamp_header",
                "timestamp_format", "id_header", "encoding", "hash", "signed", "secret_encoding",
            ]),
            at: At::Each,
            problem: KNOWN,
            hint: REMOVE_IT,
        },
        Rule {
            when: When::Is("sender", &["twilio"]),
            demand: Demand::Without(&[
                "header", "prefix", "signature_key", "timestamp_key", "timestamp_header",
                "timestamp_format", "id_header", "encoding", "signed", "secret_encoding",
            ]),
            at: At::Each,
            problem: KNOWN,
            hint: REMOVE_IT,
        },
        Rule {
            when: When::Is("sender", &["twilio"]),
            demand: Demand::AnyOf(&["public_url"]),
            at: At::Field("public_url"),
            problem: "is required: Twilio signs the URL",
            hint: "write scheme, host and port as Twilio has them, such as https://n8n.example.com",
        },
        Rule {
            when: When::Is("sender", NAMED),
            demand: Demand::Without(&["public_url"]),
            at: At::Each,
            problem: "has no effect: this sender signs no URL",
            hint: "remove it",
        },
        Rule {
            when: When::Is("sender", &["hmac"]),
            demand: Demand::AnyOf(&["header"]),
            at: At::Field("header"),
            problem: "is required with hmac",
            hint: "write the header of the signature, such as x-signature",
        },
        Rule {
            when: When::Given("signature_key"),
            demand: Demand::Without(&["prefix"]),
            at: At::Each,
            problem: "has no effect beside signature_key",
            hint: "remove one of them",
        },
        Rule {
            when: When::Given("timestamp_key"),
            demand: Demand::Without(&["timestamp_header"]),
            at: At::Each,
            problem: "has no effect beside timestamp_key",
            hint: "remove one of them",
        },
        Rule {
            when: When::Given("timestamp_key"),
            demand: Demand::AnyOf(&["signature_key"]),
            at: At::Field("timestamp_key"),
            problem: "has no effect without signature_key",
            hint: "write the name of the signature in the same header, or timestamp_header",
        },
        Rule {
            when: When::Given("timestamp_format"),
            demand: Demand::AnyOf(&["timestamp_key", "timestamp_header"]),
            at: At::Field("timestamp_format"),
            problem: "has no effect without a timestamp",
            hint: "write timestamp_header or timestamp_key, or remove it",
        },
        Rule {
            when: When::Is("sender", &["github", "stripe", "slack", "workos", "standard_webhooks", "shopify", "gitlab", "twilio", "zoom", "hmac"]),
            demand: Demand::Without(&["verify_token"]),
            at: At::Each,
            problem: "has no effect: only Meta has a verify token",
            hint: "remove it",
        },
    }
}
