//! Forms as clients send them: `application/x-www-form-urlencoded` (RFC 6749 appendix B).

use super::percent;

/// One name or value, encoded.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'*' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => percent::push(&mut encoded, byte),
        }
    }
    encoded
}

/// The name and the value of one field, decoded.
pub fn field(field: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut parts = field.splitn(2, |byte| *byte == b'=');
    let mut next = || decoded(parts.next().unwrap_or_default());
    (next(), next())
}

/// The value of the first field that is called `name`, as the URL Standard's `URLSearchParams`
/// reads it; `None`: there is none.
pub fn value(form: &[u8], name: &str) -> Option<String> {
    form.split(|byte| *byte == b'&').find_map(|one| {
        let (own, value) = field(one);
        (own == name.as_bytes()).then(|| String::from_utf8_lossy(&value).into_owned())
    })
}

/// All fields, decoded as the URL Standard's `URLSearchParams` does it, in order.
pub fn fields(form: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let fields = form.split(|byte| *byte == b'&');
    let fields = fields.filter(|field| !field.is_empty());
    let fields = fields.map(|field| {
        let mut parts = field.splitn(2, |byte| *byte == b'=');
        let mut next = || decoded(parts.next().unwrap_or_default());
        (next(), next())
    });
    fields.collect()
}

/// Decodes each sound encoding, and keeps all other bytes.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let encoded = (byte == b'%').then(|| percent::read(after)).flatten();
        let plain = if byte == b'+' { b' ' } else { byte };
        let (byte, after) = encoded.unwrap_or((plain, after));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_of_a_name_counts_decoded_once() {
        for (form, expected) in [
            ("signature=a/b", Some("a/b")),
            ("x=1&s%69gnature=a%2Fb+c&signature=2", Some("a/b c")),
            ("signature", Some("")),
            ("signature=a=b&x", Some("a=b")),
            ("signature=%2525&x", Some("%25")),
            ("signature=100%&x", Some("100%")),
            ("signature=%C3%A9%ff", Some("\u{e9}\u{fffd}")),
            ("Signature=1&xsignature=2&=3", None),
            ("", None),
        ] {
            let value = value(form.as_bytes(), "signature");
            assert_eq!(value.as_deref(), expected, "{form}");
        }
    }

    #[test]
    fn every_field_is_read_in_order() {
        let read = fields(b"a=1&&b=%2B+&a=1&c&=d&e=f=g");
        let read: Vec<_> = read
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let expected: [(&[u8], &[u8]); 6] = [
            (b"a", b"1"),
            (b"b", b"+ "),
            (b"a", b"1"),
            (b"c", b""),
            (b"", b"d"),
            (b"e", b"f=g"),
        ];
        assert_eq!(read, expected);
        assert_eq!(fields(b""), []);
    }

    #[test]
    fn a_form_is_encoded_as_browsers_do_it() {
        // The example of RFC 6749 appendix B.
        assert_eq!(encoded(" %&+£€"), "+%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(encoded("aZ09*-._~/="), "aZ09*-._%7E%2F%3D");
    }
}
