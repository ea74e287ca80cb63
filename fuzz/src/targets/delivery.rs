//! Checks deliveries of senders.
//!
//! The first byte chooses the sender. The lines after it are the header of the signature, the timestamp, the
//! delivery id and the target of the request; the rest is the body. In the first line, `{good}0` to
//! `{good}3` stand for the codes of the four forms that senders sign, in hexadecimal digits; `{good}b0` and so on
//! are in base64.

use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use n8n_idp_gate::formats::hex;
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::time::UnixSeconds;
use n8n_idp_gate::webhook_signature::{
    Challenge, DeliveryDigest, Sender, SignatureFault, SignatureKey, Verifier,
};

use crate::world::{NOW, SECRET};

/// The headers of every sender.
const SIGNATURES: [&str; 9] = [
    "x-hub-signature-256",
    "stripe-signature",
    "workos-signature",
    "x-slack-signature",
    "x-zm-signature",
    "webhook-signature",
    "x-shopify-hmac-sha256",
    "x-gitlab-token",
    "x-twilio-signature",
];
const TIMES: [&str; 3] = [
    "x-slack-request-timestamp",
    "x-zm-request-timestamp",
    "webhook-timestamp",
];
const IDS: [&str; 3] = ["webhook-id", "x-github-delivery", "idempotency-key"];

/// The target.
pub fn run(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let senders = Sender::ALL;
    let Some(sender) = senders.get(usize::from(*choice) % senders.len()) else {
        return;
    };
    let mut parts = rest.splitn(5, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let [signature, time, id, target, body] = [next(), next(), next(), next(), next()];
    let given = Given {
        signature,
        time,
        id,
        target,
        body,
    };
    let verifier = Verifier {
        scheme: sender.scheme_for(SECRET),
        keys: vec![SignatureKey::of_text(SECRET)],
        tolerance: Duration::from_secs(300),
        origin: "https://n8n.example.com".to_owned(),
        challenge: Challenge::Zoom,
    };
    let has_code = signature.windows(6).any(|part| part == b"{good}");
    let result = given.checked(&verifier);
    assert!(
        has_code || result.is_err(),
        "a signature that no sender made is good: {}",
        input.escape_ascii()
    );
    let Ok(digest) = result else { return };
    // What is signed is the delivery; the code of another body is not good for this one.
    let other = Given {
        body: &[body, b"!"].concat(),
        ..given
    };
    assert_ne!(other.checked(&verifier).ok(), Some(digest));
}

/// A delivery as the input has it.
#[derive(Clone, Copy)]
struct Given<'i> {
    signature: &'i [u8],
    time: &'i [u8],
    id: &'i [u8],
    target: &'i [u8],
    body: &'i [u8],
}

impl Given<'_> {
    fn checked(&self, verifier: &Verifier) -> Result<DeliveryDigest, SignatureFault> {
        let request = self.request();
        let shown = |text: &str| assert!(!text.contains(SECRET), "a secret is shown: {text}");
        let claimed = verifier.read(&request)?;
        shown(&format!("{claimed:?}"));
        let verified = claimed.verify(self.body, UnixSeconds(NOW))?;
        shown(&format!("{verified:?}"));
        assert_eq!(verified.secret_number(), 1);
        if let Some(Ok(reply)) = verified.question() {
            assert!(reply.body.len() < 1024, "{}", reply.body);
        }
        Ok(verified.digest())
    }

    fn request(&self) -> RequestHead {
        let mut pairs = vec![
            (":method".to_owned(), b"POST".to_vec()),
            (":path".to_owned(), self.target.to_vec()),
        ];
        let names = |names: &[&str], value: &[u8], pairs: &mut Vec<(String, Vec<u8>)>| {
            pairs.extend(
                names
                    .iter()
                    .map(|name| ((*name).to_owned(), value.to_vec())),
            );
        };
        names(&SIGNATURES, &self.signed(), &mut pairs);
        names(&TIMES, self.time, &mut pairs);
        names(&IDS, self.id, &mut pairs);
        RequestHead::new(pairs)
    }

    /// The header of the signature, with the codes of what this input says.
    fn signed(&self) -> Vec<u8> {
        let dot: &[u8] = b".";
        let messages: [&[&[u8]]; 4] = [
            &[self.body],
            &[self.time, dot, self.body],
            &[b"v0:", self.time, b":", self.body],
            &[self.id, dot, self.time, dot, self.body],
        ];
        let mut text = String::from_utf8_lossy(self.signature).into_owned();
        for (number, message) in messages.iter().enumerate() {
            let code = hmac_sha256::HMAC::mac(message.concat(), SECRET);
            text = text.replace(&format!("{{good}}{number}"), &hex::encoded(&code));
            text = text.replace(&format!("{{good}}b{number}"), &STANDARD.encode(code));
        }
        text.into_bytes()
    }
}
