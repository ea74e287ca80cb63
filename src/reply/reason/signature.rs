//! Refusals because the delivery of a sender is not good.

use crate::reply::challenge::Challenge;
use crate::reply::table::faults;
use crate::webhook_signature::SignatureFault;

faults! {
    SignatureFault {
        Method { allowed: "POST" } => {
            status: 405,
            challenge: Challenge::None,
            code: "delivery_method",
            detail: "Deliveries are sent with another method.",
            meaning: "a method that the sender does not use, which its signature does not cover",
            remedy: "look at `method`; with `sender: hmac`, sign `{method}` to take others than `POST`",
        }
        Missing => {
            status: 403,
            challenge: Challenge::None,
            code: "signature_missing",
            detail: "The delivery is not signed as this webhook needs it.",
            meaning: "the header of the signature is absent; the body was not read",
            remedy: "set the secret at the sender; compare `sender` with the headers that it sends: GitHub's `X-Hub-Signature` and others with SHA-1 do not count",
        }
        Duplicate => {
            status: 400,
            challenge: Challenge::None,
            code: "signature_duplicate",
            detail: "A header of the signature is there more than once.",
            meaning: "a header of the signature, its time or its id is there twice, or under two names",
            remedy: "find the proxy that adds a second one; senders send one",
        }
        Malformed("signature") => {
            status: 400,
            challenge: Challenge::None,
            code: "signature_malformed",
            detail: "The signature of the delivery is malformed.",
            meaning: "the signature, its time, its id or what it covers is not as the sender writes it; `fault` in the audit names the part",
            remedy: "look at `fault`; compare `sender`, `encoding`, `hash` and `timestamp_format` with what the sender documents",
        }
        Invalid => {
            status: 403,
            challenge: Challenge::None,
            code: "signature_invalid",
            detail: "The signature of the delivery is not good.",
            meaning: "no secret of the rule makes this signature over the body as it came",
            remedy: "compare the secret with the sender's; look for a proxy that changes bodies; with `public_url`, compare it with the URL at the sender",
        }
        Stale("too_old") => {
            status: 403,
            challenge: Challenge::None,
            code: "signature_stale",
            detail: "The delivery was signed at another time.",
            meaning: "the signature is good, and its time is more than `tolerance` from now; `fault` says in which direction",
            remedy: "compare the clocks; a delivery that was recorded is refused so",
        }
    }
}
