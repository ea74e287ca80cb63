//! Checks a proof of possession, and reads the certificate that a proxy reports.
//!
//! The input is the value of either header; or, so that fuzzing reaches what is behind the signature of a
//! proof, three lines: who signs (`client` or `attacker`), the header and the claims. In them, `@JWK@` is
//! the public key of the client, `@OWN@` that of the signer, and `@ATH@` the digest of the token.

use std::time::Duration;

use n8n_idp_gate::crypto::{GuestCrypto, PublicKey, Thumbprint};
use n8n_idp_gate::http::{forwarded_certificate, Origin, RequestHead, FORWARDED_CERTIFICATE};
use n8n_idp_gate::time::UnixSeconds;
use n8n_idp_gate::token::{bearer, Bearer, ProofTarget, VerifiedProof, MAX_PROOF_ID_BYTES};
use serde_json::Value;

use crate::mint::{base64url, Mint};
use crate::world::{attacker, key, NOW};

const TOKEN: &str = "a.bound.token";
const ORIGIN: &str = "https://n8n.example.com";
const PATH: &str = "/api/v1/workflows";
const WINDOW: u64 = 60;

/// The target.
pub fn run(input: &[u8]) {
    certificate(input);
    let text = String::from_utf8_lossy(input);
    if Origin::parse(ORIGIN).is_some_and(|own| own.has(PATH.as_bytes(), &text)) {
        let rest = text.to_ascii_lowercase();
        let rest = rest
            .strip_prefix(ORIGIN)
            .expect("another origin")
            .to_owned();
        assert!(rest.starts_with(['/', ':']), "another host: {text}");
    }
    proof(input);
}

/// A header has one reading: one element, and one hash in it.
fn certificate(input: &[u8]) {
    let head = RequestHead::new(vec![(FORWARDED_CERTIFICATE.to_owned(), input.to_vec())]);
    let Ok(Some(certificate)) = forwarded_certificate(&head) else {
        return;
    };
    let text = std::str::from_utf8(input).expect("text");
    let (mut bare, mut is_quoted, mut is_escaped) = (String::new(), false, false);
    for letter in text.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            letter if !is_quoted => bare.push(letter.to_ascii_lowercase()),
            _ => {}
        }
    }
    assert!(!is_quoted, "a quote does not close: {text}");
    assert!(!bare.contains(','), "several elements: {text}");
    let hashes = bare.split(';').filter(|pair| pair.starts_with("hash="));
    let expected = usize::from(certificate.hash.is_some());
    assert_eq!(hashes.count(), expected, "another hash: {text}");
}

fn client() -> &'static Mint {
    key("ES256").expect("a key")
}

fn jwk(key: &Mint) -> Value {
    let mut jwk = key.jwk("x");
    jwk.as_object_mut().expect("an object").remove("kid");
    jwk
}

/// Only the client makes proofs that are accepted, and only for this request, this token and this time.
fn proof(input: &[u8]) {
    let made = made(input);
    let value = made.as_ref().map_or(input, |(text, ..)| text.as_bytes());
    let pairs = [
        (":method", b"GET".as_slice()),
        (":path", PATH.as_bytes()),
        ("authorization", b"DPoP a.bound.token"),
        ("dpop", value),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_vec()));
    let head = RequestHead::new(pairs.to_vec());
    let Ok(Bearer::Dpop(token)) = bearer(&head) else {
        panic!("the token is not read");
    };
    let own = jwk(client());
    let own = own.as_object().expect("an object");
    let (_, thumbprint) = PublicKey::of_client(own).expect("a key");
    let target = ProofTarget {
        request: &head,
        origins: &[Origin::parse(ORIGIN).expect("an origin")],
        token: &token,
        key: &thumbprint,
        now: UnixSeconds(NOW),
        window: Duration::from_secs(WINDOW),
        nonces: None,
    };
    let Ok(verified) = VerifiedProof::verify(&target, &GuestCrypto) else {
        return;
    };
    let (_, header, claims, is_client) = made.expect("a proof that was not made is accepted");
    assert!(is_client, "a proof of another key is accepted");
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let (header, claims) = (read(&header), read(&claims));
    assert_eq!(header["typ"], "dpop+jwt", "{header}");
    assert_eq!(header["alg"], "ES256", "{header}");
    for private in ["d", "k"] {
        assert!(header["jwk"].get(private).is_none(), "{header}");
    }
    assert_eq!(claims["htm"], "GET", "{claims}");
    assert_eq!(claims["ath"], ath(), "{claims}");
    assert_eq!(claims["jti"], *verified.id, "{claims}");
    assert!((1..=MAX_PROOF_ID_BYTES).contains(&verified.id.len()));
    let until = verified.accepted_until.0;
    assert!((NOW..=NOW + 2 * WINDOW).contains(&until), "{claims}");
}

fn ath() -> String {
    base64url(Thumbprint::of(TOKEN.as_bytes()).bytes())
}

/// The proof that an input describes: its text, its header and claims, and whether the client signed it.
fn made(input: &[u8]) -> Option<(String, String, String, bool)> {
    let text = std::str::from_utf8(input).ok()?;
    let mut lines = text.splitn(3, '\n');
    let (who, header, claims) = (lines.next()?, lines.next()?, lines.next()?);
    let is_client = match who {
        "client" => true,
        "attacker" => false,
        _ => return None,
    };
    let signer = if is_client { client() } else { attacker() };
    let fill = |text: &str| {
        let text = text.replace("@JWK@", &jwk(client()).to_string());
        let text = text.replace("@OWN@", &jwk(signer).to_string());
        text.replace("@ATH@", &ath())
    };
    let (header, claims) = (fill(header), fill(claims));
    let proof = signer.raw(signer.algorithm(), header.as_bytes(), claims.as_bytes());
    Some((proof, header, claims, is_client))
}
