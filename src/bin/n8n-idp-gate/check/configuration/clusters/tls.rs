//! Whether the TLS of a cluster protects a call: Envoy verifies no certificate by itself.

use n8n_idp_gate::formats::printable::quoted;
use serde_json::{Map, Value};

use crate::diagnostic::rules::{TLS_OTHER_NAME, TLS_WITHOUT_CA, TLS_WITHOUT_NAME, TLS_WITHOUT_SNI};
use crate::diagnostic::Fault;
use crate::file::fields::field;

/// What is wrong with the TLS of a cluster through which this host is called. `path` is the field that
/// names the cluster.
pub(super) fn look(path: &str, host: Option<&str>, cluster: &Value) -> Vec<Fault> {
    let Some(context) = context(cluster) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let sni = field(context, "sni").and_then(Value::as_str);
    let takes_host = is_true(context, "auto_host_sni") || sets_sni(cluster);
    let common = field(context, "common_tls_context").and_then(Value::as_object);
    let names = match common.map(validation) {
        // From elsewhere: what is in it is not known.
        Some(Validation::Elsewhere) => None,
        Some(Validation::Here(rules)) if verifies(rules) => {
            let checks_sni = is_true(context, "auto_sni_san_validation") || checks_name(cluster);
            let names = names(rules);
            if names.is_none() && !checks_sni {
                found.push(Fault::new(
                    TLS_WITHOUT_NAME,
                    path,
                    "the TLS of the cluster accepts every certificate of the authority, whatever \
                     its name is",
                    "write match_typed_subject_alt_names with the host",
                ));
            }
            names
        }
        _ => {
            found.push(Fault::new(
                TLS_WITHOUT_CA,
                path,
                "the TLS of the cluster does not verify the certificate of the server, so that an \
                 attacker on the way can answer with own keys",
                "write validation_context with trusted_ca into its common_tls_context",
            ));
            None
        }
    };
    match (sni.filter(|sni| !sni.is_empty()), host) {
        (None, _) if !takes_host => found.push(Fault::new(
            TLS_WITHOUT_SNI,
            path,
            "the TLS of the cluster sends no server name",
            match host {
                Some(host) => format!("write sni: {}", quoted(host)),
                None => "write sni, the host of the URL".to_owned(),
            },
        )),
        (Some(sni), Some(host)) if !sni.eq_ignore_ascii_case(host) => {
            found.push(other_name(path, "sends", sni, host));
        }
        _ => {}
    }
    if let (Some(names), Some(host)) = (names, host) {
        if !names.is_empty() && !names.iter().any(|name| fits(name, host)) {
            found.push(other_name(path, "expects", &names.join(", "), host));
        }
    }
    found
}

fn other_name(path: &str, does: &str, name: &str, host: &str) -> Fault {
    let problem = format!(
        "the TLS of the cluster {does} the server name {}, and the host of the URL is another",
        quoted(name)
    );
    Fault::new(
        TLS_OTHER_NAME,
        path,
        problem,
        format!("write {}", quoted(host)),
    )
}

/// The TLS context of a cluster, if it is of Envoy's own kind.
fn context(cluster: &Value) -> Option<&Map<String, Value>> {
    let socket = field(cluster.as_object()?, "transport_socket")?.as_object()?;
    let context = field(socket, "typed_config")?.as_object()?;
    let kind = context.get("@type")?.as_str()?;
    kind.ends_with(".UpstreamTlsContext").then_some(context)
}

/// Where the rules for certificates are.
enum Validation<'v> {
    Here(&'v Map<String, Value>),
    Elsewhere,
    Nowhere,
}

fn validation(common: &Map<String, Value>) -> Validation<'_> {
    let part = |name| field(common, name).and_then(Value::as_object);
    if let Some(rules) = part("validation_context") {
        return Validation::Here(rules);
    }
    let is_elsewhere = |(name, _): (&String, &Value)| {
        let name = crate::file::fields::snake(name);
        name.contains("validation_context") || name == "custom_validator_config"
    };
    if common.iter().any(is_elsewhere) {
        return Validation::Elsewhere;
    }
    Validation::Nowhere
}

/// Whether certificates are verified by an authority, or by their own digests.
fn verifies(rules: &Map<String, Value>) -> bool {
    let accepts_all = field(rules, "trust_chain_verification")
        .is_some_and(|value| value == "ACCEPT_UNTRUSTED" || value.as_u64() == Some(1));
    let kinds = [
        "trusted_ca",
        "system_root_certs",
        "ca_certificate_provider_instance",
        "verify_certificate_hash",
        "verify_certificate_spki",
        "custom_validator_config",
    ];
    !accepts_all && kinds.into_iter().any(|kind| field(rules, kind).is_some())
}

/// The exact names that certificates must have; empty: some that are not known here. `None`: any.
fn names(rules: &Map<String, Value>) -> Option<Vec<String>> {
    let pinned = ["verify_certificate_hash", "verify_certificate_spki"];
    if pinned.into_iter().any(|kind| field(rules, kind).is_some()) {
        return Some(Vec::new());
    }
    let matchers = field(rules, "match_typed_subject_alt_names")
        .or_else(|| field(rules, "match_subject_alt_names"))?
        .as_array()?;
    let exact = matchers.iter().map(|one| {
        let matcher = one.get("matcher").unwrap_or(one);
        matcher["exact"].as_str().map(str::to_ascii_lowercase)
    });
    let exact: Option<Vec<_>> = exact.collect();
    (!matchers.is_empty()).then(|| exact.unwrap_or_default())
}

/// Whether a name of a certificate is that of a host.
fn fits(name: &str, host: &str) -> bool {
    let wild = name.strip_prefix("*.");
    let of_domain = || host.split_once('.').map(|(_, domain)| domain);
    name == host || wild.is_some_and(|domain| of_domain() == Some(domain))
}

fn is_true(members: &Map<String, Value>, name: &str) -> bool {
    field(members, name) == Some(&Value::Bool(true))
}

/// Whether the cluster sends the host of each request as the server name.
fn sets_sni(cluster: &Value) -> bool {
    upstream_option(cluster, "auto_sni")
}

/// Whether the cluster compares the name of the certificate with the host of each request.
fn checks_name(cluster: &Value) -> bool {
    upstream_option(cluster, "auto_san_validation")
}

fn upstream_option(cluster: &Value, name: &str) -> bool {
    let options = cluster
        .as_object()
        .and_then(|cluster| field(cluster, "typed_extension_protocol_options")?.as_object());
    options.into_iter().flat_map(Map::values).any(|options| {
        let http = options
            .as_object()
            .and_then(|options| field(options, "upstream_http_protocol_options")?.as_object());
        http.is_some_and(|http| is_true(http, name))
    })
}
