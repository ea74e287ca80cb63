//! The certificate of a client, as a proxy reports it that ended the client's TLS connection.

use super::RequestHead;

/// The header of Envoy and Istio for it.
pub const FORWARDED_CERTIFICATE: &str = "x-forwarded-client-cert";

/// What a proxy says about the certificate of its client. Any client can write the header: it counts
/// only if the request came from a proxy that is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardedCertificate {
    /// `Hash`: the SHA-256 digest of the certificate, in hexadecimal digits.
    pub hash: Option<String>,
    /// `Subject`.
    pub subject: Option<String>,
    /// `URI`: names in the certificate, in its order.
    pub uris: Vec<String>,
    /// `DNS`: names in the certificate, in its order.
    pub dns: Vec<String>,
}

/// The header cannot be read, or not in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmbiguousCertificate;

/// Reads the header `x-forwarded-client-cert` of a request; `None`: there is none.
///
/// It has exactly one element: that of the proxy that the client called. Several are refused. Only if
/// the client wrote one itself, or if names in a certificate hold commas, are there more, and then
/// the proxy's own cannot be told apart. For the same reason a second `Hash` or `Subject` is refused,
/// and so is a quote that does not close.
///
/// # Errors
///
/// The header has another form.
pub fn forwarded_certificate(
    request: &RequestHead,
) -> Result<Option<ForwardedCertificate>, AmbiguousCertificate> {
    let mut values = request.values(FORWARDED_CERTIFICATE);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(AmbiguousCertificate);
    }
    let value = std::str::from_utf8(value).map_err(|_| AmbiguousCertificate)?;
    let mut certificate = ForwardedCertificate::default();
    let mut rest = value;
    loop {
        let (name, value) = rest.split_once('=').ok_or(AmbiguousCertificate)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(AmbiguousCertificate);
        }
        let (value, after) = value_and_rest(value)?;
        let single = match () {
            () if name.eq_ignore_ascii_case("hash") => Some(&mut certificate.hash),
            () if name.eq_ignore_ascii_case("subject") => Some(&mut certificate.subject),
            () => None,
        };
        if let Some(single) = single {
            if single.replace(value).is_some() {
                return Err(AmbiguousCertificate);
            }
        } else if name.eq_ignore_ascii_case("uri") {
            certificate.uris.push(value);
        } else if name.eq_ignore_ascii_case("dns") {
            certificate.dns.push(value);
        }
        match after {
            Some(after) => rest = after,
            None => return Ok(Some(certificate)),
        }
    }
}

/// Splits off one value, and the `;` behind it. A quoted value has `"` and `\` behind a `\`. Elsewhere
/// there is neither of them, nor a comma, which would begin another element.
fn value_and_rest(text: &str) -> Result<(String, Option<&str>), AmbiguousCertificate> {
    let mut value = String::new();
    let mut characters = text.chars();
    let is_quoted = text.starts_with('"');
    if is_quoted {
        characters.next();
        loop {
            match characters.next().ok_or(AmbiguousCertificate)? {
                '"' => break,
                '\\' => value.push(characters.next().ok_or(AmbiguousCertificate)?),
                other => value.push(other),
            }
        }
    }
    loop {
        match characters.next() {
            None => return Ok((value, None)),
            Some(';') => return Ok((value, Some(characters.as_str()))),
            Some('"' | '\\' | ',') => return Err(AmbiguousCertificate),
            Some(_) if is_quoted => return Err(AmbiguousCertificate),
            Some(other) => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<ForwardedCertificate>, AmbiguousCertificate> {
        let headers = values.iter().map(|value| {
            let name = "X-Forwarded-Client-Cert".to_owned();
            (name, value.as_bytes().to_vec())
        });
        forwarded_certificate(&RequestHead::new(headers))
    }

    #[test]
    fn what_envoy_writes_is_read() {
        let value = r#"By=spiffe://n8n/gate;Hash=ab12;Subject="CN=app-a,OU=\"R\\D\",O=Acme";URI=spiffe://a;URI=spiffe://b;DNS=a.example"#;
        let expected = ForwardedCertificate {
            hash: Some("ab12".to_owned()),
            subject: Some(r#"CN=app-a,OU="R\D",O=Acme"#.to_owned()),
            uris: vec!["spiffe://a".to_owned(), "spiffe://b".to_owned()],
            dns: vec!["a.example".to_owned()],
        };
        assert_eq!(read(&[value]), Ok(Some(expected)));
        let only_hash = ForwardedCertificate {
            hash: Some("ab12".to_owned()),
            ..ForwardedCertificate::default()
        };
        assert_eq!(read(&["Hash=ab12"]), Ok(Some(only_hash.clone())));
        assert_eq!(read(&["hash=ab12;Cert=\"-----\""]), Ok(Some(only_hash)));
        assert_eq!(read(&[]), Ok(None));
    }

    /// A client that can write a part of the header, by a header of its own or by a name in its
    /// certificate, must not get another hash into it.
    #[test]
    fn a_header_with_two_readings_is_refused() {
        for values in [
            [r"Hash=ab,Hash=cd"].as_slice(),
            &["Hash=ab", "Hash=cd"],
            &["Hash=ab;Hash=cd"],
            &["Hash=ab;hash=cd"],
            &["Hash=ab;URI=spiffe://a,Hash=cd"],
            &["Hash=ab;URI=spiffe://a;Hash=cd"],
            &[r#"Subject="CN=a,Hash=cd"#],
            &[r#"Subject="CN=a\",Hash=cd"#],
            &[r#"Subject="CN=a"b;Hash=cd"#],
            &[r#"Subject=CN=a";Hash=cd"#],
            &[r#"Hash=ab;Subject="a";Subject="b""#],
            &[r#"Hash="ab"#],
            &[r#"Hash="ab\"#],
            &["Hash=ab;"],
            &[";Hash=ab"],
            &["Hash"],
            &[""],
            &["Hash=ab,"],
            &["By=a,Hash=cd"],
            &["a,Hash=cd"],
        ] {
            assert_eq!(read(values), Err(AmbiguousCertificate), "{values:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let header = (
            FORWARDED_CERTIFICATE.to_owned(),
            b"Hash=ab;URI=\xff".to_vec(),
        );
        let read = forwarded_certificate(&RequestHead::new(vec![header]));
        assert_eq!(read, Err(AmbiguousCertificate));
    }
}
