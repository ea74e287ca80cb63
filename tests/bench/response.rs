//! The responses of the benchmark's own clients, read from a connection piece by piece.

use crate::support::Outcome;

/// Whether the response is complete. Any status but 200 is an error.
pub(crate) fn is_whole(received: &[u8]) -> Outcome<bool> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(received)? else {
        return Ok(false);
    };
    if response.code != Some(200) {
        return Err(format!("a response has the status {:?}", response.code).into());
    }
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .ok_or("a response has no length")?;
    let length: usize = std::str::from_utf8(length.value)?.parse()?;
    Ok(received.len() >= head.saturating_add(length))
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn a_response_is_whole_with_its_last_byte() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        for length in 0..whole.len() {
            assert!(!is_whole(&whole[..length]).unwrap(), "{length}");
        }
        assert!(is_whole(whole).unwrap());
    }

    #[test]
    fn a_refusal_is_an_error() {
        assert!(is_whole(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
