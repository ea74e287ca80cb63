//! The self-test of a host: the results that it must give before its signature checks are used.

use std::fmt;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;

use super::foreign::{ask, host_form, ForeignFunctions};
use super::public_key::{self, Material};
use super::Algorithm;

/// The text that was signed.
const TEXT: &[u8] = b"n8n-idp-gate asks a host what it knows";

/// A good signature over [`TEXT`] by the first of two keys.
struct KnownAnswer {
    algorithm: Algorithm,
    keys: [&'static str; 2],
    signature: &'static str,
}

// Two moduli of RSA, two points on each curve, and signatures as JWS has them, in base64url. The
// private halves do not exist any more: the test `known_answers_can_be_made_anew` made all this, and
// stored none of them.
const RSA_KEYS: [&str; 2] = [
    "zvTmaQ9ab7BYFfPn0JUezlG68dvHV7F0L7Kr8eQ5O-APbEbwyzYu2oM1wYirWyvWxtBxu3hyj9rnB0xmzFMRoc-732kNL9czNOfJtjbnGcPefD-n3iuXtApuv_YS5EKWkeyePjDn6tov56_5Fp1zlp8LN8lRXjhxmv8HQjGu0KJ7SNmB6VfcwFKaJd07zkNSbjdlZjRCpBpmo2wdZlQGdDEDvK--IMoxQzl6qi7qBD5LNBih7n-1lUCPHE3A_w9Li8bdl3-AO1MjL1RAX7hlOSOWi_FtkDh92P2vpZGDgfWFvEHrRyPLj4nSbjEZXGDcuBMkdK_Bty-GkoCgep3b8w",
    "65eqn9uHEzlQPttL5hHeFg0wPDxLBhoD0qtrx9nXdSmeWgisd_Bjyg9Y_5zWdi0t6e8G2TShQFTkphL5OcWSXoMOTiH2nonkY2-V9Tiwv9MGqqTZ7febCcoG0qvnqy0D67DS4WZFAWK_R0F7WtBpa8IZtLLRcPeG_num1MPLKtz3Bk1VHYe-rIerJRX83y8G_OT40GWKpUJsvLJLo7OMUfEasd6Y-pCc2CW2rM2jFYnJ-tFlP48Z2eI29dte1kR3EDRhViVIsfbG5svc87c3Pe7vFlAFPu0WBHaHsqhK35SHsWcpce2jwjfBBFtMHukZ7d_FOgfcw_JRZQ4sryyUcw",
];
const RS256: &str =
    "GkIxU3nGfbFNFEqTn5xh-cfu1AzWCzAdFbRI2Sg9FHZANgU9MZhQHLL6bdJqIJ9wWshVJvqit04SU6vwolUhsjo2NjxzylvQ1XM_T0u4mY2xXMy2jRF7nfnJVFWpi84YIRf8-Vy9g9-3ZzZJQCeU5qxZubKlabFOjGoKUuX3moEzbGsMhCh0JuvQ6tuXUjBKfr8goq6aQVQmPLJ8WmzA90gpb5dKyIj0VAO1fSG2qveEQf3xdE3-0FGoesgPJ5J9_SfewaECYcczwmZrWUm3Q4oChA_i36RyIU06s8ojT83bTa_hcOZBru7GAhGzZdPq8lgi62tgdxYhNrYC13augQ";
const RS384: &str =
    "yNvjqI8Yrh8ISu2v8INcA6bX6S0wvRWMFfT0xwjcY9Ct2DziyjvEqOrnh_744VUFoQSH5ggWaawY0ht2qvhA3ZdtkOxPVP8P5dkXzf6LHwejkspB8-zSRvDym4xLbaRAMM7CzhF0sTyLKj23cDAs8HTOfTOF9Uo80__qknk5zA8YyjcsS80eeAd8wwUfiPYpPKK8ACZaJa9h3GMnCDmS3dYzKwyDFiQ7K2DE8CFelgizHrSI6G-GDV7tMw6ukgw3BKnB0BHH9OGcexJVc9NUrsj0Kap7Wdpvf8uzGgqWIG306Af_STe2yOyzFsQN9OM0ABAXrTSSn5NIV2xO9cPVGw";
const RS512: &str =
    "BCuKSeg5PZx_eRKPA1ItKE8a17yJbQdXmDV9dhxZJ6toqBe8a2pZ7dfJmDULzOHI5NVaBtc2uEBTwGKB0A-xv83_mHuwSdKQ-bmqYCKRi0OmCv_cOt0ZXxFXCmAeh626nb4YO2ykWejjUN4ph0auXrGD6-gtd7JD0wDMpdnCVyRTlyDpKXVbzf7uRqVuH2N3pMW1GC305OH3N_EIlfohiKRz8CHBH0V4YPyxhFDg3gRpqW0MY7qo2OsVVzOV_6h8FaJnrrsWeJbN5Ad5gkGAmcaEidv5Obt5jMhgD3ozQBGrOG0hkpDMDixrsIAe4dJJvaHJ6XfTvvSCzKe2T9hMrQ";
const P256_KEYS: [&str; 2] = [
    "BMxLFlYQ7zMsVBflCgAV6tRF_sIPgcwWMriFNPq3vzDcJtJQUwNd5BBsVKIAjLlepkMaE_XFZNurzGAQpZ_ugCU",
    "BMJ8MOd_dnuOKsPojXRAGh5UAwEw0ZBqHCs2WiaS1khegTGoCKqltMf2FmM8WfK9Qxq5xneBFJDZLwMfeW8qK8o",
];
const ES256: &str =
    "3YCBEWUpSoExaIUhq6mmV0h3DHuOg1mhhgZGIBlzb3heQVQZ6cmHFOjUiRrqO9Dt4su6wUNsv184DJiVwa-l5g";
const P384_KEYS: [&str; 2] = [
    "BLPm1ah2iGMATFN7LsnoNyazWpOlN_sWIqBTJjFlfp01gC7mlpcAF8hZox4bkkrPKJLBTVu3gt1lv6nFCmLQGfWrlN5FIme6o0XpqVppzozeoQhIzxsEdPeMLbrWKgcVxg",
    "BNQXgVm0Qbe8QxXHhWwIEBi3JeW0bFnm2ONjG_e8-JzGi59tiZTWHwg6e0MV85A1yCDrEaw2KV18x3lc21unfZkIu9s3orcJvGSEigkCn9jvZwRb9GW3jTeMgdxjfu6nTw",
];
const ES384: &str =
    "NMzS6sdLFm1ZcvbfF_-aJMHc-aUflkakoqz73FXqboAZe3g8Kwsd5Qklqe4Orca9ZWyVUNliqg41A4yRaSx_jSslTD5M2WYWMYs6nrfMXifIuCxvlW-CJPF4qkEX17nL";

const KNOWN_ANSWERS: [KnownAnswer; 5] = [
    KnownAnswer {
        algorithm: Algorithm::Rs256,
        keys: RSA_KEYS,
        signature: RS256,
    },
    KnownAnswer {
        algorithm: Algorithm::Rs384,
        keys: RSA_KEYS,
        signature: RS384,
    },
    KnownAnswer {
        algorithm: Algorithm::Rs512,
        keys: RSA_KEYS,
        signature: RS512,
    },
    KnownAnswer {
        algorithm: Algorithm::Es256,
        keys: P256_KEYS,
        signature: ES256,
    },
    KnownAnswer {
        algorithm: Algorithm::Es384,
        keys: P384_KEYS,
        signature: ES384,
    },
];

/// A host that gave another result than it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The case.
    pub case: &'static str,
    /// Its result, if it gave one.
    pub result: Option<bool>,
}

impl fmt::Display for Deviation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = match self.result {
            Some(true) => "was called good",
            Some(false) => "was called bad",
            None => "got no result",
        };
        let Self {
            algorithm, case, ..
        } = self;
        write!(formatter, "{}: {case} {result}", algorithm.as_str())
    }
}

/// Tests every algorithm that a host may check: those that it checks as it must, and its first deviation
/// in the others.
pub(super) fn run(
    functions: &dyn ForeignFunctions,
) -> impl Iterator<Item = Result<Algorithm, Deviation>> + '_ {
    KNOWN_ANSWERS.iter().map(|known| known.ask(functions))
}

impl KnownAnswer {
    fn ask(&self, functions: &dyn ForeignFunctions) -> Result<Algorithm, Deviation> {
        const GOOD: &str = "a good signature";
        let deviation = |case, result| Deviation {
            algorithm: self.algorithm,
            case,
            result,
        };
        let unreadable = deviation(GOOD, None);
        let [Some((material, key)), Some((_, other_key))] = self.keys() else {
            return Err(unreadable);
        };
        let signature = host_form(&material, &self.signature()).ok_or(unreadable)?;
        let (_, truncated) = signature.split_last().ok_or(unreadable)?;
        let changed = with_a_bit_changed(&signature);
        let forged = with_a_bit_changed(TEXT);
        for (case, key, text, signature) in [
            (GOOD, &key, TEXT, signature.as_slice()),
            ("a signature of another text", &key, &forged, &signature),
            ("a changed signature", &key, TEXT, &changed),
            ("a signature of another key", &other_key, TEXT, &signature),
            ("a truncated signature", &key, TEXT, truncated),
            ("an empty signature", &key, TEXT, &[]),
        ] {
            let result = ask(functions, self.algorithm, key, text, signature);
            if result != Some(case == GOOD) {
                return Err(deviation(case, result));
            }
        }
        Ok(self.algorithm)
    }

    fn keys(&self) -> [Option<(Material, Vec<u8>)>; 2] {
        self.keys.map(|text| {
            let key = URL_SAFE_NO_PAD.decode(text).ok()?;
            match self.algorithm {
                Algorithm::Es256 => public_key::p256(&key),
                Algorithm::Es384 => public_key::p384(&key),
                _ => public_key::rsa(&key),
            }
        })
    }

    fn signature(&self) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(self.signature).unwrap_or_default()
    }
}

fn with_a_bit_changed(bytes: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{GuestCrypto, PublicKey, SignatureVerifier as _};
    use crate::mint::{base64url, KeyKind, Mint};

    fn public_key((material, spki): (Material, Vec<u8>)) -> PublicKey {
        PublicKey {
            key_id: None,
            algorithm: None,
            issuer: None,
            jwk: String::new(),
            material,
            spki,
        }
    }

    #[test]
    fn the_guest_gives_every_known_answer() {
        for known in &KNOWN_ANSWERS {
            let [key, other_key] = known.keys().map(|key| public_key(key.unwrap()));
            let signature = known.signature();
            let valid = |key, text: &[u8], signature: &[u8]| {
                let check = GuestCrypto.verify(key, known.algorithm, text, signature);
                check.valid
            };
            assert!(valid(&key, TEXT, &signature), "{:?}", known.algorithm);
            assert!(!valid(&other_key, TEXT, &signature));
            assert!(!valid(&key, &with_a_bit_changed(TEXT), &signature));
            assert!(!valid(&key, TEXT, &with_a_bit_changed(&signature)));
        }
    }

    #[test]
    fn every_algorithm_that_a_host_may_check_has_one_known_answer() {
        use Algorithm::{Es256, Es384, Rs256, Rs384, Rs512};
        let known = KNOWN_ANSWERS.map(|known| known.algorithm);
        assert_eq!(known, [Rs256, Rs384, Rs512, Es256, Es384]);
    }

    #[test]
    #[ignore = "prints new known answers: cargo test --lib known_answers_can -- --ignored --nocapture"]
    fn known_answers_can_be_made_anew() {
        for (kind, name, algorithms) in [
            (KeyKind::Rsa2048, "RSA", &["RS256", "RS384", "RS512"][..]),
            (KeyKind::P256, "P256", &["ES256"]),
            (KeyKind::P384, "P384", &["ES384"]),
        ] {
            let mint = Mint::generate(kind);
            println!("const {name}_KEYS: [&str; 2] = [");
            for mint in [&mint, &Mint::generate(kind)] {
                let jwk = mint.jwk("k");
                let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap());
                let key = match kind {
                    KeyKind::Rsa2048 => member("n").unwrap(),
                    _ => [vec![4], member("x").unwrap(), member("y").unwrap()].concat(),
                };
                println!("    {:?},", base64url(key));
            }
            println!("];");
            for algorithm in algorithms {
                let signature = base64url(mint.signature(algorithm, TEXT));
                println!("const {algorithm}: &str =\n    {signature:?};");
            }
        }
    }
}
