//! Reads a key set as a provider serves it.

use n8n_idp_gate::crypto::{
    Algorithm, Candidates, KeySet, PublicKey, MAX_CANDIDATES, MAX_KEYS, MAX_KEY_ID_BYTES,
};

/// The target.
pub fn run(input: &[u8]) {
    let Ok(set) = KeySet::parse(input) else {
        return;
    };
    assert!(set.keys().len() <= MAX_KEYS, "{} keys", set.keys().len());
    for skipped in set.skipped() {
        let id = skipped.key_id.as_deref().unwrap_or_default();
        assert!(id.len() <= MAX_KEY_ID_BYTES, "a long key id is kept");
    }
    for key in set.keys() {
        let jwk = key.as_jwk();
        let again = PublicKey::from_jwk(jwk).expect("what is handed on can be read");
        assert!(again == **key, "another worker reads another key: {jwk}");
        assert_eq!(again.as_jwk(), jwk, "it changes when it is handed on");
        for private in ["\"d\"", "\"p\"", "\"q\"", "\"k\""] {
            assert!(
                !jwk.contains(&format!("{private}:")),
                "a private part is kept: {jwk}"
            );
        }
        let fitting = algorithms()
            .filter(|algorithm| key.fits(*algorithm))
            .count();
        assert!(fitting > 0, "a key that checks nothing: {jwk}");
    }
    for algorithm in algorithms() {
        let named = set.keys().iter().filter_map(|key| key.key_id()).map(Some);
        for key_id in named.chain([None, Some("unknown")]) {
            if let Candidates::Keys(keys) = set.candidates(algorithm, key_id) {
                assert!(
                    (1..=MAX_CANDIDATES).contains(&keys.len()),
                    "{} keys",
                    keys.len()
                );
                for key in keys {
                    assert!(key.fits(algorithm), "a key of another algorithm");
                    assert!(
                        key_id.is_none() || key.key_id().is_none_or(|own| Some(own) == key_id),
                        "a key of another name"
                    );
                }
            }
        }
    }
}

fn algorithms() -> impl Iterator<Item = Algorithm> {
    let names = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ];
    names.into_iter().filter_map(Algorithm::parse)
}
