//! The fields by which the gate itself calls n8n.

use crate::config::defaults::{self, MintedKeyTtl, ProvisioningTimeout};
use crate::config::duration::Span;
use crate::config::field::{default_span, default_text, required};
use crate::config::secrets::SecretName;
use crate::config::section::section;
use crate::config::syntax::{ClusterName, EmailDomain, Server, Text};

section! {
    /// How the gate itself calls n8n, to make users and API keys for principals with `user`.
    RawProvisioning at "n8n" {
        /// The Envoy cluster through which n8n is called.
        cluster: Text<ClusterName> = required("name the Envoy cluster of n8n, to which the routes lead too"),
        /// The address of n8n as its cluster expects it: scheme, host and port, without a path.
        uri: Text<Server> = default_text(defaults::N8N_URI.to_owned()),
        /// An API key of n8n with the scopes `user:create` and `user:read`, and no others:
        /// `{ env: NAME }`.
        api_key: SecretName = required("write { env: NAME } and pass the variable NAME to the VM"),
        /// A random secret from which the passwords of the users are derived: `{ env: NAME }`. With
        /// another one, the gate cannot log in as the users that it made before.
        seed: SecretName = required("write { env: NAME }; make the secret with: openssl rand -hex 32"),
        /// The domain of the addresses of users that are made with `per`. It receives no mail.
        email_domain: Text<EmailDomain> = default_text(defaults::USER_DOMAIN.to_owned()),
        /// How long a key lives that the gate makes. After four fifths of it there is a new one.
        key_ttl: Span<MintedKeyTtl> = default_span(),
        /// How long one call to n8n may take.
        timeout: Span<ProvisioningTimeout> = default_span(),
    }
}
