//! Twilio, with the examples of its libraries.

use super::*;

const TARGET: &str = "/myapp.php?foo=1&bar=2";
const FORM: &str = "To=%2B18005551212&CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309\
&Caller=%2B14158675309";
const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

fn twilio(origin: &str) -> Verifier {
    Verifier {
        origin: origin.to_owned(),
        ..verifier(Sender::Twilio, &["12345"])
    }
}

fn form(signature: &str) -> RequestHead {
    request(
        "POST",
        TARGET,
        &[
            ("x-twilio-signature", signature),
            (
                "content-type",
                "application/x-www-form-urlencoded; charset=UTF-8",
            ),
        ],
    )
}

#[test]
fn the_url_and_the_sorted_form_are_signed() {
    let origin = "https://mycompany.com";
    for (signature, form_body, expected) in [
        (SIGNATURE, FORM, Ok(1)),
        // A field that comes twice counts once, and fields of one name are sorted by value.
        (
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
            "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
            Ok(1),
        ),
        (SIGNATURE, "To=%2B18005551212", Err(SignatureFault::Invalid)),
        (SIGNATURE, "", Err(SignatureFault::Invalid)),
        ("FAIL", FORM, Err(SignatureFault::Malformed("signature"))),
    ] {
        let checked = checked(&twilio(origin), &form(signature), form_body.as_bytes(), NOW);
        assert_eq!(checked, expected, "{form_body}");
    }
}

#[test]
fn the_port_may_be_named_or_left_out() {
    for (origin, signature) in [
        ("https://mycompany.com:1234", SIGNATURE),
        ("https://mycompany.com", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("http://mycompany.com:1234", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ] {
        let checked = checked(&twilio(origin), &form(signature), FORM.as_bytes(), NOW);
        assert_eq!(checked, Ok(1), "{origin}");
    }
    let other = twilio("https://attacker.example");
    let checked = checked(&other, &form(SIGNATURE), FORM.as_bytes(), NOW);
    assert_eq!(checked, Err(SignatureFault::Invalid));
}

#[test]
fn a_body_that_is_no_form_is_signed_by_its_hash_in_the_url() {
    let body = br#"{"property": "value", "boolean": true}"#;
    let target = format!(
        "{TARGET}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    );
    let headers = [
        ("x-twilio-signature", "a9nBmqA0ju/hNViExpshrM61xv4="),
        ("content-type", "application/json"),
    ];
    let verifier = twilio("https://mycompany.com");
    let request = request("POST", &target, &headers);
    assert_eq!(checked(&verifier, &request, body, NOW), Ok(1));
    for other in [&b"{}"[..], b""] {
        let checked = checked(&verifier, &request, other, NOW);
        assert_eq!(checked, Err(SignatureFault::Invalid));
    }
}

#[test]
fn a_body_that_no_signature_covers_is_refused() {
    type Case<'c> = (
        &'c str,
        &'c [(&'c str, &'c str)],
        &'c [u8],
        Result<usize, SignatureFault>,
    );
    // The signature of a request without a body, as of `GET`.
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let code = Hash::Sha1.mac(b"12345", &[url.as_bytes().into()]);
    let signature = STANDARD.encode(code);
    let verifier = twilio("https://mycompany.com");
    let signed = ("x-twilio-signature", signature.as_str());
    let form = ("content-type", "application/x-www-form-urlencoded");
    let json = ("content-type", "application/json");
    let cases: [Case<'_>; 7] = [
        ("GET", &[signed], b"", Ok(1)),
        ("POST", &[signed], b"", Ok(1)),
        (
            "POST",
            &[signed],
            b"x",
            Err(SignatureFault::Malformed("body")),
        ),
        (
            "POST",
            &[signed, json],
            b"{}",
            Err(SignatureFault::Malformed("body")),
        ),
        (
            "POST",
            &[signed, form, json],
            b"{}",
            Err(SignatureFault::Malformed("body")),
        ),
        (
            "GET",
            &[signed, form],
            b"a=b",
            Err(SignatureFault::Malformed("body")),
        ),
        (
            "PUT",
            &[signed],
            b"",
            Err(SignatureFault::Method {
                allowed: "GET, POST",
            }),
        ),
    ];
    for (method, headers, body, expected) in cases {
        let request = request(method, TARGET, headers);
        assert_eq!(
            checked(&verifier, &request, body, NOW),
            expected,
            "{method} {body:?}"
        );
    }
}

#[test]
fn bytes_that_move_between_names_and_values_are_the_same_delivery() {
    // Twilio signs names and values without anything between them. An attacker can write
    // `Digits=1234` as `Digits1=234`; it is refused because the first was used.
    let verifier = twilio("https://mycompany.com");
    let moved = FORM.replace("Digits=1234", "Digits1=234");
    let request = form(SIGNATURE);
    assert_eq!(checked(&verifier, &request, moved.as_bytes(), NOW), Ok(1));
    assert_eq!(
        digest(&verifier, &request, moved.as_bytes()),
        digest(&verifier, &request, FORM.as_bytes())
    );
}
