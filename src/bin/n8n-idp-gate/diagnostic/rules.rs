//! The rules of `check`: each has an id that does not change, and a line of the reference page.

use super::Severity;

/// What a check looks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Its name, which does not change between versions.
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// Whether requests may pass the gate without a decision, or with a wrong one.
    pub(crate) is_bypass: bool,
    /// What a finding means.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) remedy: &'static str,
}

/// Declares rules as constants, and all of them as a list.
macro_rules! rules {
    ($( $name:ident $severity:ident $id:literal $meaning:literal $remedy:literal )+) => {
        $( pub(crate) const $name: &Rule = &Rule {
            id: $id,
            severity: rules!(@severity $severity),
            is_bypass: rules!(@bypass $severity),
            meaning: $meaning,
            remedy: $remedy,
        }; )+

        /// Every rule, in the order of the reference page.
        pub(crate) const ALL: &[&Rule] = &[$($name),+];
    };
    (@severity Warning) => { Severity::Warning };
    (@severity $other:ident) => { Severity::Error };
    (@bypass Bypass) => { true };
    (@bypass $other:ident) => { false };
}

rules! {
    FAIL_OPEN Bypass "fail-open"
        "Envoy lets every request pass when the module cannot be loaded or fails."
        "`failure_policy: FAIL_RELOAD`; Istio: `failStrategy: FAIL_CLOSE`; Envoy Gateway: `failOpen: false`."
    SWITCHED_OFF Bypass "switched-off"
        "The gate is switched off: for a route, for a virtual host, or where it is installed."
        "Remove it. The configuration says which requests pass."
    PATH_REWRITTEN Bypass "path-rewritten"
        "A route rewrites the path after the decision, so that n8n gets a path without a decision."
        "Remove the rewrite. For an n8n below a path, write `path_prefix`."
    OUTSIDE_PREFIX Bypass "outside-prefix"
        "With `outside: pass`, a route outside of `path_prefix` leads to the same n8n."
        "Remove the route, or `outside`."
    UNDECIDED_HOST Bypass "undecided-host"
        "With `other_hosts: pass`, a domain that is not in `hosts` leads to n8n."
        "Add it to `hosts`, or remove the route."
    AROUND_THE_GATE Bypass "around-the-gate"
        "A listener without the gate leads to the same cluster as the gate."
        "Put the gate into it, or remove the route."
    CALLBACK_MISSING Bypass "callback-missing"
        "`capability_restriction_config` keeps Envoy from calling the gate for a part of a request."
        "List every name of `scripts/wasm-exports.txt`, or remove the restriction."
    CERTIFICATE_UNVERIFIED Bypass "certificate-unverified"
        "The listener accepts certificates that it has not verified, and a rule with `auth: certificate` trusts them."
        "Remove `trust_chain_verification: ACCEPT_UNTRUSTED`."
    TLS_WITHOUT_CA Bypass "tls-without-ca"
        "Envoy does not verify the certificate of a server that the gate calls. An attacker on the way can answer with own keys, and sign tokens with them."
        "Write `validation_context` with `trusted_ca` or `system_root_certs` into the `common_tls_context` of the cluster."
    UNREADABLE Error "unreadable"
        "The text is not YAML or JSON, or is beyond a bound."
        "Correct the text at the position."
    READ_DIFFERENTLY Error "read-differently"
        "Envoy and Kubernetes read a value differently, or not at all."
        "Write it as the message says; [how YAML is read](../guides/existing-n8n.md#how-yaml-is-read)."
    NO_CONFIGURATION Error "no-configuration"
        "There is no configuration of the gate in a file or folder that was named."
        "Name the file with the configuration. `providers` must be a list."
    CONFIGURATION_ERROR Error "configuration-error"
        "The filter refuses the configuration, so that Envoy does not start or keeps the old one."
        "As the message says; [every field](configuration.md)."
    CONFIGURATION_WARNING Warning "configuration-warning"
        "The filter accepts the configuration, and logs this."
        "As the message says; [every field](configuration.md)."
    UNKNOWN_CLUSTER Error "unknown-cluster"
        "The configuration names a cluster that the file does not have. Every call through it fails."
        "Correct the name, or add the cluster."
    VARIABLE_NOT_HANDED_OVER Error "variable-not-handed-over"
        "The configuration names an environment variable that the plugin does not get. The filter refuses the configuration."
        "Add it to `vm_config.environment_variables.host_env_keys`; Istio: `vmConfig.env` with `valueFrom: HOST`; Envoy Gateway: `env.hostKeys`."
    BODIES_WITHHELD Error "bodies-withheld"
        "A rule checks signatures, and Envoy does not hand over bodies: every delivery is refused."
        "`allow_on_headers_stop_iteration: true`; [signed webhooks](../guides/signed-webhooks.md)."
    API_KEY_EXPIRED Error "api-key-expired"
        "An API key of n8n in the environment has expired."
        "Make a new key in n8n."
    API_KEY_EXPIRES Warning "api-key-expires"
        "An API key of n8n in the environment expires soon."
        "Make a new key in n8n, and write both into `api_keys`, the old one first."
    NOT_AN_API_KEY Warning "not-an-api-key"
        "The environment holds a value that is not of the form of n8n's API keys."
        "Set the variable to the key as n8n showed it."
    SECRET_IN_FILE Warning "secret-in-file"
        "The file holds the value of a secret. Envoy's `/config_dump` shows it, too."
        "Hand it over from the environment: `host_env_keys`; Istio: `valueFrom: HOST`."
    CLUSTER_WITHOUT_TLS Warning "cluster-without-tls"
        "An `https` URL is called through a cluster without TLS."
        "Add a `transport_socket` of TLS to the cluster."
    CLUSTER_WITH_TLS Warning "cluster-with-tls"
        "An `http` URL is called through a cluster with a `transport_socket`."
        "Write `https`, or remove the `transport_socket`."
    TLS_WITHOUT_SNI Warning "tls-without-sni"
        "The cluster sends no server name, so that a server with several names may show another certificate, or refuse."
        "Write `sni` into the TLS context of the cluster: the host of the URL."
    TLS_OTHER_NAME Warning "tls-other-name"
        "The cluster sends or expects another server name than the host of the URL."
        "Write the host of the URL into `sni` and `match_typed_subject_alt_names`."
    TLS_WITHOUT_NAME Warning "tls-without-name"
        "Envoy accepts every certificate of the authority, whatever its name is. With the authorities of the internet, the owner of any domain has one."
        "Write `match_typed_subject_alt_names` beside `trusted_ca`, or `auto_sni_san_validation: true`."
    PATH_NORMALIZED Warning "path-normalized"
        "Envoy changes paths before the gate reads them. n8n does not: paths that n8n serves nothing at become calls, and `%2F` in names is lost."
        "`normalize_path: false`, `merge_slashes: false`, `path_with_escaped_slashes_action: KEEP_UNCHANGED`."
    CLIENT_ADDRESS Warning "client-address"
        "Clients can choose their own address in `X-Forwarded-For`. The gate shares its slots by address, and records it."
        "`use_remote_address: true`, and `xff_num_trusted_hops` with the number of your own proxies."
    ADMIN_EXPOSED Warning "admin-exposed"
        "Envoy's admin pages are not on loopback. They show the configuration, and can stop Envoy."
        "`address: 127.0.0.1`, or a Unix socket."
    TOKEN_REMOVED Warning "token-removed"
        "A filter before the gate removes the token after it verified it. The gate then sees a request without a token."
        "`forward: true` for that provider of `jwt_authn`, or put the gate first. Istio: `forwardOriginalToken: true` in the `RequestAuthentication`, or `phase: AUTHN` in the `WasmPlugin`."
    PROPERTY_NOT_SET Warning "property-not-set"
        "An access log, a rate limit or another filter reads a name of the caller or an audit record that the gate does not set: it finds nothing."
        "Name it in `caller_properties`, or write `audit: { to: access_log }`."
    VM_SHARED Warning "vm-shared"
        "Another plugin has the same `vm_id`. Plugins with one `vm_id` share their data: it can read, replace and fill up what workers of the gate share."
        "Give the gate a `vm_id` of its own."
    HOST_REWRITTEN Warning "host-rewritten"
        "A route rewrites the host after the gate chose an instance by it."
        "Make sure that the route leads to the n8n of that instance."
    PREFIX_KEPT Warning "prefix-kept"
        "`path_prefix` is there, and no route removes it."
        "Match `prefix: /n8n/`, and write `prefix_rewrite: /`."
    PREFIX_DOUBLED Warning "prefix-doubled"
        "A route removes `path_prefix` and leaves two slashes, below which n8n serves nothing."
        "Match the prefix with a slash at its end."
    VIRTUAL_HOST Warning "virtual-host"
        "Envoy's virtual hosts do not fit the hosts of the instances, so that one n8n may get the keys of another."
        "Give each virtual host the hosts of one instance."
    CERTIFICATE_NOT_ASKED Warning "certificate-not-asked"
        "The listener asks no client for a certificate, and a rule with `auth: certificate` refuses all."
        "Write `validation_context` with the `trusted_ca` of the clients, unless certificates come from a proxy."
    BODIES_WITHHELD_IN_PART Warning "bodies-withheld-in-part"
        "Something works only in part, because Envoy does not hand over bodies."
        "`allow_on_headers_stop_iteration: true`."
    BUFFER_TOO_SMALL Warning "buffer-too-small"
        "A rule takes larger bodies than Envoy holds over HTTP/1."
        "Raise `per_connection_buffer_limit_bytes`, or write `request_body_buffer_limit` on the routes."
    WEBHOOK_AMBIGUOUS Warning "webhook-ambiguous"
        "Another rule matches the paths of a webhook rule in another case or order, or at another endpoint of n8n 1. The gate answers 400 (`ambiguous_case`) or 403 (`webhook_no_rule`) to all of them."
        "Give the webhooks paths that differ in more than case and order, or one rule."
    PLACEHOLDER Warning "placeholder"
        "A value looks like the placeholder of an example."
        "Write your own value."
    MANY_TENANTS Warning "many-tenants"
        "The issuer of an Entra provider is `common`, `organizations` or `consumers`. No token has such an `iss`."
        "Write the tenant: `https://login.microsoftonline.com/<tenant id>/v2.0`, or `tenant`."
    GRAPH_AUDIENCE Warning "graph-audience"
        "The audience is Microsoft Graph. Its tokens cannot be verified by others, and every application has one."
        "Register an API of your own in Entra, and write its id or URI."
}
