//! Bodies of every form and size, and those that do not come.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use super::*;
use crate::support::crowd::{self, Protocol};

const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// The head of a delivery over HTTP/1, and its body.
fn wire(delivery: &Delivery) -> (Vec<u8>, Vec<u8>) {
    let bytes = delivery.request().bytes();
    let body = bytes.len() - delivery.body.len();
    (bytes[..body].to_vec(), delivery.body.clone())
}

fn connect(gate: &Gate) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gate.envoy.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(50)))
        .unwrap();
    stream
}

/// The status of the response that comes next.
fn status(mut stream: TcpStream) -> String {
    let mut line = [0; 12];
    stream.read_exact(&mut line).unwrap();
    String::from_utf8_lossy(&line[9..]).into_owned()
}

fn small(length: usize, mark: u8) -> Delivery {
    let body: Vec<u8> = (0..251)
        .cycle()
        .take(length)
        .map(|byte: u8| byte ^ mark)
        .collect();
    github_to("/webhook/small/in", SECRET, &body)
}

#[test]
fn a_body_may_have_the_size_of_the_rule_and_no_byte_more() {
    let gate = gate(|setup| setup);
    let port = gate.envoy.port();
    for (mark, length) in (1_u8..).zip([SMALL - 1, SMALL, SMALL + 1, 3 * SMALL]) {
        let is_good = length <= SMALL;
        let response = small(length, mark).send(&gate);
        let expected = if is_good {
            (200, Value::Null)
        } else {
            (413, json!("body_too_large"))
        };
        assert_eq!(response.refusal(), expected, "{length}");
        for (protocol, more) in BOTH.into_iter().zip([100, 200]) {
            for (size, most) in [(4000, 0), (length, 50)] {
                let parts = small(length, mark + more + most).parts(size);
                let status = crowd::send_one(port, protocol, parts);
                // Envoy may end the connection of a request that it no longer reads.
                let status = status.unwrap_or(413);
                assert_eq!(status, expected.0, "{length} in {size} over {protocol:?}");
            }
        }
        let recorded = gate.recorder.take();
        let count = if is_good { 5 } else { 0 };
        assert_eq!(recorded.len(), count, "{length}");
        assert!(recorded.iter().all(|request| request.body.len() >= length));
    }
}

/// The default of the rules, and what Envoy holds of a request over HTTP/1 by itself.
#[test]
fn a_mebibyte_passes_by_default() {
    let gate = gate(|setup| setup);
    let body = vec![b'x'; 1024 * 1024];
    let response = github(SECRET, &body).send(&gate);
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(gate.recorder.take().pop().unwrap().body, body);
    let larger = vec![b'x'; 1024 * 1024 + 1];
    assert_eq!(github(SECRET, &larger).send(&gate).status, 413);
    assert_eq!(gate.recorder.take().len(), 0);
}

#[test]
fn every_form_of_a_body_is_checked() {
    let gate = gate(|setup| setup);
    let port = gate.envoy.port();
    for (protocol, name) in BOTH.into_iter().zip(["one", "two"]) {
        let body = |form: &str| format!("{name} {form}").into_bytes();
        let good = |form: &str| github(SECRET, &body(form));
        let forms = [
            good("parts").parts(3).pausing(Duration::from_millis(50)),
            good("trailers").parts(5).trailers(),
        ];
        for parts in forms {
            assert_eq!(crowd::send_one(port, protocol, parts).unwrap(), 200);
        }
        for form in ["parts", "trailers"] {
            let mut other = good(form);
            other.body.push(b'!');
            let parts = other.parts(3).trailers();
            assert_eq!(crowd::send_one(port, protocol, parts).unwrap(), 403);
        }
        // Under the signature of a body, no body at all.
        let mut none = good("parts");
        none.body.clear();
        for parts in [none.parts(1), none.parts(1).trailers()] {
            assert_eq!(crowd::send_one(port, protocol, parts).unwrap(), 403);
        }
    }
    assert_eq!(gate.recorder.take().len(), 4);
    // An empty body has a signature as every other, once.
    let empty = github(SECRET, b"");
    assert_eq!(empty.send(&gate).status, 200);
    let status = crowd::send_one(port, Protocol::Http2, empty.parts(1)).unwrap();
    assert_eq!(status, 409);
}

/// Envoy says 100 by itself, and removes the header.
#[test]
fn a_sender_that_waits_for_100_is_answered_after_its_body() {
    let gate = gate(|setup| setup);
    for (delivery, expected) in [
        (github(SECRET, BODY), 200),
        (github("another secret of 16", BODY), 403),
    ] {
        let request = delivery.request().header("Expect", "100-continue");
        let response = request.send(gate.envoy.port());
        assert_eq!(response.unwrap().status, expected);
    }
    let recorded = gate.recorder.take();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].values("expect"), [""; 0]);
}

/// What the head shows is refused while the body is on its way.
#[test]
fn a_delivery_without_a_signature_is_refused_before_its_body_comes() {
    let gate = gate(|setup| setup);
    let mut delivery = github(SECRET, BODY);
    delivery.headers.remove("x-hub-signature-256");
    let (head, _) = wire(&delivery);
    let mut stream = connect(&gate);
    stream.write_all(&head).unwrap();
    assert_eq!(status(stream), "403");
    let (head, _) = wire(&small(SMALL + 1, 0));
    let mut stream = connect(&gate);
    stream.write_all(&head).unwrap();
    assert_eq!(status(stream), "413");
}

#[test]
fn a_client_that_leaves_in_the_middle_leaves_no_trace_at_n8n() {
    let gate = gate(|setup| setup);
    let (head, body) = wire(&github(SECRET, BODY));
    let mut stream = connect(&gate);
    stream.write_all(&head).unwrap();
    stream.write_all(&body[..body.len() - 1]).unwrap();
    thread::sleep(Duration::from_millis(300));
    drop(stream);
    assert_eq!(connections(&gate), 0);
    assert_eq!(gate.envoy.audit()[0]["decision"], "abandoned");
    // The delivery was not used.
    assert_eq!(github(SECRET, BODY).send(&gate).status, 200);
}

#[test]
fn a_body_that_does_not_come_ends_in_a_timeout() {
    let gate = gate(|setup| setup);
    let (head, body) = wire(&github(SECRET, BODY));
    let mut slow = connect(&gate);
    slow.write_all(&head).unwrap();
    slow.write_all(&body[..3]).unwrap();
    // Without the field of the plugin no body comes, and that is no fault of the client.
    let without = without_bodies(|setup| setup);
    let mut unseen = connect(&without);
    unseen.write_all(&[head, body].concat()).unwrap();
    assert_eq!(status(slow), "408");
    assert_eq!(status(unseen), "503");
    assert_eq!(gate.envoy.audit()[0]["reason"], "body_timeout");
    assert_eq!(without.envoy.audit()[0]["reason"], "body_unavailable");
    assert_eq!((connections(&gate), connections(&without)), (0, 0));
}

#[test]
fn bodies_that_wait_are_bounded_and_others_pass_after_them() {
    let gate = gate(|setup| setup);
    let (head, body) = wire(&github(SECRET, BODY));
    let mut waiting: Vec<TcpStream> = (0..256).map(|_| connect(&gate)).collect();
    for stream in &mut waiting {
        stream.write_all(&head).unwrap();
        stream.write_all(&body[..3]).unwrap();
    }
    thread::sleep(Duration::from_secs(2));
    let refused = github(SECRET, BODY).send(&gate).refusal();
    assert_eq!(refused, (503, json!("too_many_bodies")));
    drop(waiting);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(github(SECRET, BODY).send(&gate).status, 200);
    assert_eq!(gate.recorder.take().len(), 1);
}
