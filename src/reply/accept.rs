//! The media type of a refusal, by the `Accept` header of the request (RFC 9110 §12.5.1).

use crate::http::RequestHead;

const PROBLEM: &str = "application/problem+json";
const JSON: &str = "application/json";

/// Weights in thousandths.
const WHOLE: u16 = 1000;

/// The media type of a refusal: a problem document (RFC 9457), or plain JSON where the client asks
/// for that. Some clients, n8n's own among them, read the body of an error only if it has the media
/// type that they asked for. The body is the same.
///
/// A client that names both, or neither, gets the type with the higher weight. With equal weights it
/// gets a problem document.
pub(super) fn media_type(request: &RequestHead) -> &'static str {
    let mut weights = [0; RANGES.len()];
    for line in request.values("accept") {
        for item in line.split(|byte| *byte == b',') {
            note(&mut weights, item);
        }
    }
    let [json, problem, of_application, of_all] = weights;
    // The narrowest range that holds a type counts.
    let narrowest = |ranges: [u16; 3]| ranges.into_iter().find(|weight| *weight > 0);
    let wanted = narrowest([json, of_application, of_all]).unwrap_or(UNWANTED);
    let other = narrowest([problem, of_application, of_all]).unwrap_or(UNWANTED);
    let is_named_alone = json > UNWANTED && problem == 0;
    if wanted > other || (wanted == other && is_named_alone) {
        JSON
    } else {
        PROBLEM
    }
}

/// The media ranges that one of the two types is in.
const RANGES: [&str; 4] = [JSON, PROBLEM, "application/*", "*/*"];

/// A weight of 0. Each weight is stored as one more than it is, and 0 stands for an absent range.
const UNWANTED: u16 = 1;

/// Stores the weight of one media range, if it can be read and is one of [`RANGES`].
fn note(weights: &mut [u16; RANGES.len()], item: &[u8]) {
    let mut parts = item.split(|byte| *byte == b';');
    let range = parts.next().unwrap_or_default().trim_ascii();
    let mut weight = WHOLE;
    for parameter in parts {
        if let [b'q' | b'Q', b'=', value @ ..] = parameter.trim_ascii() {
            let Some(written) = thousandths(value) else {
                return;
            };
            weight = written;
        }
    }
    let is_it = |known: &&str| range.eq_ignore_ascii_case(known.as_bytes());
    let index = RANGES.iter().position(is_it);
    if let Some(stored) = index.and_then(|index| weights.get_mut(index)) {
        *stored = (*stored).max(weight.saturating_add(UNWANTED));
    }
}

/// Reads `0` or `1` with up to three digits after the point (RFC 9110 §12.4.2); `None`: not a weight.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, digits) = match value {
        [whole] => (whole, [].as_slice()),
        [whole, b'.', digits @ ..] if digits.len() <= 3 => (whole, digits),
        _ => return None,
    };
    let mut weight = u16::from(whole.wrapping_sub(b'0'));
    let mut digits = digits.iter();
    for _ in 0..3 {
        let digit = digits.next().unwrap_or(&b'0').wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        weight = weight.saturating_mul(10).saturating_add(u16::from(digit));
    }
    (weight <= WHOLE).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lines: &[&str]) -> &'static str {
        let lines = lines.iter();
        let headers = lines.map(|line| ("Accept".to_owned(), line.as_bytes().to_vec()));
        media_type(&RequestHead::new(headers))
    }

    #[test]
    fn a_client_that_asks_for_json_alone_gets_that_name() {
        for line in [
            "application/json",
            "Application/JSON",
            " application/json ; charset=utf-8",
            "application/json, text/plain, */*",
            "text/html,application/json",
            "application/json,text/html,application/xml,text/*;q=0.9,*/*;q=0.7",
            "application/json;q=0.5, application/*;q=0.5",
            "application/json;q=0.001",
            "application/json, application/problem+json;q=0.9",
            "application/json;q=0.2, application/problem+json;q=0",
            "application/problem+json;q=0, */*",
            "application/json;Q=1.000, application/problem+json; q=0.999",
        ] {
            assert_eq!(chosen(&[line]), JSON, "{line}");
        }
        assert_eq!(chosen(&["text/html", "application/json"]), JSON);
        assert_eq!(
            chosen(&["application/problem+json;q=0.1", "application/json"]),
            JSON
        );
    }

    #[test]
    fn every_other_client_gets_a_problem_document() {
        for line in [
            "",
            "*/*",
            "application/*",
            "text/html",
            "application/problem+json",
            "application/json, application/problem+json",
            "application/problem+json, application/json;q=0.9",
            "application/json;q=0",
            "application/json;q=0.0, */*",
            "application/json;q=0.4, */*;q=0.5",
            "application/json;q=1.5",
            "application/json;q=x",
            "application/json;q=",
            "application/json;q=0.1234",
            "application/jsonx",
            "application/vnd.api+json",
            ";,;=,q=1,/",
        ] {
            assert_eq!(chosen(&[line]), PROBLEM, "{line}");
        }
        assert_eq!(chosen(&[]), PROBLEM);
        assert_eq!(
            chosen(&["application/json", "application/problem+json"]),
            PROBLEM
        );
    }
}
