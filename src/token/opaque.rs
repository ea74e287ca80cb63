//! Opaque tokens, which only their provider can read.

/// Whether a token is opaque: neither signed nor encrypted by JOSE, so that the gate can check nothing
/// in it.
///
/// A JOSE token has three parts or five, and the first is base64url of an object in JSON: a `{`
/// makes its first six bits an `e`, and leaves its second letter little choice. A token of this form
/// is always checked as a JWT: a JWT that was refused must not get a second chance by introspection. Other tokens may have dots, too, as Google's do (`ya29.c.…`).
pub fn is_opaque(token: &str) -> bool {
    let begins_as_jose = matches!(
        token.as_bytes(),
        [b'e', b'w'..=b'z' | b'0'..=b'9' | b'-' | b'_', ..]
    );
    // At most one part more than a JOSE token has: a token of many dots must cost no more.
    let parts = token.split('.').take(6).count();
    !(begins_as_jose && matches!(parts, 3 | 5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_form_of_a_jwt_is_never_opaque() {
        for token in [
            "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
            "eyJhbGciOiJub25lIn0.e30.",
            "e30.e30.AAAA",
            "ewogImEiOiAxfQ.e30.AAAA",
            "eyJlbmMiOiJBMTI4R0NNIn0.A.A.A.A",
            "e-..",
        ] {
            assert!(!is_opaque(token), "{token}");
        }
    }

    #[test]
    fn everything_else_is() {
        for token in [
            "0a1b2c3d",
            "ya29.a0AfH6SMBx",
            "ya29.c.b0AXv0zTP",
            "eyJhbGciOiJSUzI1NiJ9.e30",
            "eyJhbGciOiJSUzI1NiJ9",
            "ab.cd.ef",
            "e",
            "ea.b.c",
            "e30.b.c.d",
            "e30.b.c.d.e.f",
            "e30......",
        ] {
            assert!(is_opaque(token), "{token}");
        }
    }
}
