//! Reads a discovery document.

use n8n_idp_gate::facts::read_discovery;
use n8n_idp_gate::policy::Policy;
use serde_json::Value;

use crate::world::{policy, Keys, ISSUER};

thread_local! {
    static POLICY: Policy = policy(&Keys::Discovered);
}

/// The target.
pub fn run(input: &[u8]) {
    let found = POLICY.with(|policy| read_discovery(&policy.providers[0], input));
    let address = match found {
        Ok(address) => address,
        Err(fault) => {
            let shown = fault.to_string();
            assert!(
                !shown.contains(char::is_control),
                "a message that forges lines: {shown:?}"
            );
            assert!(
                shown.chars().count() < 1_000,
                "a message without a bound: {shown}"
            );
            return;
        }
    };
    let text = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let document: Value = serde_json::from_slice(text).expect("JSON");
    assert_eq!(
        document["issuer"], ISSUER,
        "keys of another issuer: {document}"
    );
    let named = document["jwks_uri"].as_str().expect("a text");
    let (scheme, rest) = named.split_once("://").expect("an absolute address");
    assert!(scheme.eq_ignore_ascii_case("https"), "keys over {scheme}");
    assert!(address.starts_with("https://"), "{address}");
    let is_clean = |byte: u8| byte.is_ascii_graphic();
    assert!(
        address.bytes().all(is_clean),
        "an address that ends a header: {address:?}"
    );
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    assert!(
        !authority.contains('@'),
        "credentials in an address: {address}"
    );
    assert!(
        address
            .to_ascii_lowercase()
            .contains(&authority.to_ascii_lowercase()),
        "{named} became {address}"
    );
}
