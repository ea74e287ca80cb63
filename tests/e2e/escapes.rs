//! Characters in tokens that would move a terminal's cursor, turn the direction of a line, hide
//! text, or end a line of the log.

use serde_json::{json, Value};

use crate::gate::{changed, claims, key, token, Gate, KEY_ID, READER};
use crate::support::http::Request;

/// C0 and C1 controls, DEL, marks of direction, separators of lines, and invisible characters.
const MARKS: [char; 27] = [
    '\u{1b}',
    '\r',
    '\n',
    '\t',
    '\u{8}',
    '\u{7f}',
    '\u{80}',
    '\u{85}',
    '\u{90}',
    '\u{9b}',
    '\u{9f}',
    '\u{61c}',
    '\u{200b}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202d}',
    '\u{202e}',
    '\u{2066}',
    '\u{2067}',
    '\u{2069}',
    '\u{feff}',
    '\u{e0001}',
    '\u{ad}',
    '\u{2800}',
];

fn marked() -> String {
    let marks: String = MARKS.iter().collect();
    format!("a{marks}b")
}

/// A token whose header names this key.
fn naming(key_id: &str, changes: &Value) -> String {
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": key_id});
    key().sign(&header, &claims("app-a", &[READER], changes))
}

#[test]
fn no_character_of_a_token_moves_turns_or_hides_a_line_of_the_log() {
    let gate = Gate::start();
    let good = token("app-a", &[READER]);
    // From here on, the keys are there.
    assert_eq!(list(&gate, &good), 200);
    let name = marked();
    let cases: [(&str, String, &[&str]); 7] = [
        (
            "a verified sub",
            changed(&json!({ "sub": name })),
            &["/sub"],
        ),
        (
            "a verified jti",
            changed(&json!({ "jti": name })),
            &["/jti"],
        ),
        (
            "a verified client",
            changed(&json!({ "client_id": name, "azp": name })),
            &["/client"],
        ),
        ("a kid", naming(&name, &json!({})), &["/claimed/kid"]),
        (
            "an iss",
            changed(&json!({ "iss": name })),
            &["/claimed/iss"],
        ),
        (
            "an aud",
            changed(&json!({ "aud": [name, "x"] })),
            &["/claimed/aud"],
        ),
        (
            "all of an expired token",
            naming(
                KEY_ID,
                &json!({ "exp": 2, "iat": 1, "sub": name, "client_id": name, "azp": name }),
            ),
            &["/claimed/sub", "/claimed/client"],
        ),
    ];
    for (number, (what, token, fields)) in cases.iter().enumerate() {
        list(&gate, token);
        let audit = gate.envoy.audit();
        assert_eq!(audit.len(), number + 2, "{what}");
        let record = audit.last().unwrap();
        for field in *fields {
            let written = record.pointer(field).and_then(Value::as_str);
            let written = written.unwrap_or_else(|| panic!("{what}: no {field} in {record}"));
            for escape in ["\\u{202e}", "\\u{9b}", "\\u{7f}", "\\u{85}", "\\u{1b}"] {
                assert!(written.contains(escape), "{what}: {written}");
            }
        }
    }
    // Envoy itself ends its lines with a line feed, and nothing else.
    let log = gate.envoy.log_text();
    for mark in MARKS.into_iter().filter(|mark| *mark != '\n') {
        assert!(!log.contains(mark), "{} in the log", mark.escape_unicode());
    }
}

fn list(gate: &Gate, token: &str) -> u16 {
    let request = Request::get("/api/v1/workflows").bearer(token);
    request.send(gate.envoy.port()).unwrap().status
}
