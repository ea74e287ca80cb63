//! Responses that come in parts over a long time, as MCP triggers send them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::gate::{policy, token, Gate};
use crate::support::http::Request;

/// The longest time that one side waits for the other. No test waits that long if it passes.
const PATIENCE: Duration = Duration::from_secs(30);

const FIRST: &str = "data: first\n\n";
const LAST: &str = "data: last\n\n";

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// Reads until the text has come, and returns all that was read.
fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut all = String::new();
    let mut part = [0; 4096];
    while !all.contains(text) {
        let length = stream.read(&mut part).unwrap();
        assert!(length > 0, "the stream ended without {text:?}: {all}");
        all.push_str(&String::from_utf8_lossy(&part[..length]));
    }
    all
}

/// The upstream sends the last event only after the client has the first one.
#[test]
fn the_first_event_arrives_before_the_last_is_sent() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let upstream = listener.local_addr().unwrap().port();
    let mut policy = policy();
    policy["webhooks"] = json!([{ "path": "/mcp/**", "auth": "bearer" }]);
    let gate = Gate::with(policy, |setup| {
        setup.cluster("events", upstream).routes(json!([
            { "match": { "prefix": "/" }, "route": { "cluster": "events", "timeout": "0s" } },
        ]))
    });
    let token = token("app-a", &[]);
    for request in [
        Request::get("/mcp/tools").header("Accept", "text/event-stream"),
        Request::post(
            "/mcp/tools",
            &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call"}),
        ),
    ] {
        let (has_arrived, arrival) = mpsc::channel();
        let listener = listener.try_clone().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let head = read_until(&mut stream, "\r\n\r\n");
            let begin = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
            write!(stream, "{begin}{}", chunk(FIRST)).unwrap();
            arrival
                .recv_timeout(PATIENCE)
                .expect("the first event is held back");
            write!(stream, "{}0\r\n\r\n", chunk(LAST)).unwrap();
            head
        });
        let request = request.bearer(&token);
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gate.envoy.port())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&request.bytes()).unwrap();
        let before = read_until(&mut stream, FIRST);
        assert!(!before.contains(LAST), "{before}");
        has_arrived.send(()).unwrap();
        read_until(&mut stream, LAST);
        let head = server.join().unwrap().to_ascii_lowercase();
        assert!(head.contains("x-auth-client: app-a"), "{head}");
        assert!(!head.contains("authorization"), "{head}");
    }
}
