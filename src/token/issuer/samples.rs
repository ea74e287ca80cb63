//! Issuers of Entra and tokens of theirs, for tests.

use serde_json::{json, Value};

use crate::mint::{mint, KeyKind};

pub(crate) const A: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
pub(crate) const B: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn v2(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

pub(crate) fn v1(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

pub(crate) fn compact(issuer: &str, tenant: &Value) -> String {
    let claims = json!({
        "iss": issuer, "tid": tenant, "aud": "n8n", "exp": NOW + 60, "azp": "c",
    });
    mint(KeyKind::Ed25519).sign(&json!({"alg": "EdDSA", "kid": "k"}), &claims)
}
