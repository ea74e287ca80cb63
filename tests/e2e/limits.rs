//! The shipped file with clients that hold requests for ever. Other callers are still served, and
//! held requests take little memory.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::gate::READER;
use crate::shipped_gate::{provider, ShippedGate};
use crate::support::envoy::Setup;
use crate::support::http::{Request, PATIENCE};
use crate::support::recorder::Recorder;
use crate::support::server::{Reply, Script};

/// More requests than Envoy's circuit breakers allow by default.
const MANY: usize = 1_100;

const HELD: &str = "http.gate.downstream_rq_active";

fn upgrade(path: &str) -> Request {
    upgrade_to("websocket", path)
}

fn upgrade_to(protocol: &str, path: &str) -> Request {
    Request::get(path)
        .header("Connection", "Upgrade")
        .header("Upgrade", protocol)
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
}

/// Upgrades in the shipped file, and in the configurations that Istio and Envoy Gateway make from
/// their manifests.
#[test]
fn upgrades_are_taken_where_n8n_serves_them_and_nowhere_else() {
    const OTHERS: &str = "route: { cluster: n8n, timeout: 0s }";
    const VERIFIED: &str = "route: { cluster: n8n, timeout: 0s, priority: HIGH }";
    let with = |route: &str, upgrades: &str| {
        route.replace(" }", &format!(", upgrade_configs: [{{ {upgrades} }}] }}"))
    };
    let routes = |setup: Setup, upgrades: &str| {
        setup
            .edited(OTHERS, &with(OTHERS, upgrades))
            .edited(VERIFIED, &with(VERIFIED, upgrades))
    };
    only_there(&ShippedGate::start(|setup| setup));
    only_there(&ShippedGate::start(|setup| {
        let everywhere =
            "request_timeout: 120s\n                upgrade_configs: [{ upgrade_type: websocket }]";
        let setup = setup.edited("request_timeout: 120s", everywhere);
        routes(setup, "upgrade_type: websocket, enabled: false")
    }));
    let gate = ShippedGate::start(|setup| routes(setup, "upgrade_type: h2c"));
    only_there(&gate);
    let to_h2c = upgrade_to("h2c", "/webhook/a");
    assert_eq!(gate.status(&to_h2c), 200);
    assert_eq!(gate.recorder.take()[0].values("upgrade"), [""; 0]);
}

fn only_there(gate: &ShippedGate) {
    for path in [
        "/rest/push",
        "/rest/push?pushRef=a",
        "/chat",
        "/chat?sessionId=a&executionId=1",
        "/chat/",
        "/browser-use/extension/a",
        "/browser-use/cdp/a",
    ] {
        assert_eq!(gate.status(&upgrade(path)), 200, "{path}");
        let recorded = gate.recorder.take();
        assert_eq!(recorded[0].values("upgrade"), ["websocket"], "{path}");
    }
    for path in [
        "/",
        "/webhook/open",
        "/rest/login",
        "/rest/push/",
        "/rest/push/a",
        "/rest/pushed",
        "/x/rest/push",
        "/REST/push",
        "/rest/push%2f",
        "/chats",
        "/browser-use/other/a",
        "/browser-use/cdp/a/b",
    ] {
        // The header that marks verified callers allows no upgrade either.
        for name in ["x-other", "x-auth-issuer"] {
            let request = upgrade(path).header(name, "a");
            assert_eq!(gate.status(&request), 403, "{path} with {name}");
        }
        assert_eq!(gate.recorder.take().len(), 0, "{path}");
    }
}

#[test]
fn held_requests_keep_no_other_caller_out() {
    let gate = ShippedGate::start(|setup| setup);
    let token = gate.token("app-a", &[READER]);
    let body = b"POST /webhook/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc".to_vec();
    for (name, bytes, held) in [
        ("upgrades elsewhere", upgrade("/webhook/a").bytes(), false),
        ("upgrades", upgrade("/chat").bytes(), true),
        ("bodies that never come", body, true),
        ("no responses", Request::get("/webhook/a").bytes(), true),
    ] {
        gate.recorder.script(Script::Hang);
        let connections = gate.hold(MANY, &bytes);
        let held = if held {
            u64::try_from(MANY).unwrap()
        } else {
            0
        };
        gate.wait_for(HELD, held);
        gate.recorder.script(Script::Reply(Reply::status(200)));
        for request in [
            Request::get("/api/v1/workflows").bearer(&token),
            Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "static"),
            Request::get("/webhook/b"),
        ] {
            assert_eq!(gate.status(&request), 200, "{name}");
        }
        drop(connections);
        gate.wait_for(HELD, 0);
    }
}

#[test]
fn verified_callers_have_slots_of_their_own() {
    let few = "max_requests: 4, max_connections: 8448";
    let gate =
        ShippedGate::start(|setup| setup.edited("max_requests: 8192, max_connections: 8448", few));
    gate.recorder.script(Script::Hang);
    let held = gate.hold(4, &Request::get("/webhook/a").bytes());
    gate.wait_for("cluster.n8n.upstream_rq_active", 4);
    assert!(gate.recorder.receives(4));
    gate.recorder.script(Script::Reply(Reply::status(200)));
    let good = Request::get("/api/v1/workflows").bearer(&gate.token("app-a", &[READER]));
    assert_eq!(gate.status(&good), 200);
    // It is refused at once and does not wait. A made-up header gets no slot.
    let anonymous = Request::get("/webhook/b");
    assert_eq!(gate.status(&anonymous), 503);
    let forged = anonymous.clone().header("X-Auth-Issuer", &gate.issuer);
    assert_eq!(gate.status(&forged), 503);
    let static_key = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "static");
    assert_eq!(gate.status(&static_key.header("X-Auth-Issuer", "a")), 503);
    drop(held);
    gate.wait_for("cluster.n8n.upstream_rq_active", 0);
    assert_eq!(gate.status(&anonymous), 200);
}

#[test]
fn a_body_that_never_comes_times_out_and_a_slow_response_does_not() {
    let gate =
        ShippedGate::start(|setup| setup.edited("request_timeout: 120s", "request_timeout: 2s"));
    let late = Script::Drip {
        reply: Reply::new(200, "text/plain", "0123456789"),
        bytes: 20,
        pause: Duration::from_millis(400),
    };
    let mut held = gate.hold(
        1,
        b"POST /webhook/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
    );
    gate.recorder.script(late);
    let slow = Request::post("/webhook/a", &json!({})).send(gate.envoy.port());
    assert_eq!(slow.unwrap().text(), "0123456789");
    let mut response = [0; 12];
    held[0].set_read_timeout(Some(PATIENCE)).unwrap();
    held[0].read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 408");
    gate.wait_for("cluster.n8n.upstream_rq_active", 0);
}

#[test]
fn an_open_websocket_outlives_the_time_for_requests() {
    let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = upstream.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = upstream.accept().unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).unwrap();
        let response =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.write_all(response.as_bytes()).unwrap();
        thread::sleep(Duration::from_secs(4));
        stream.write_all(b"late").unwrap();
        thread::sleep(PATIENCE);
    });
    let recorder = Recorder::start().unwrap();
    let gate = ShippedGate::between(recorder, port, provider(), |setup| {
        setup.edited("request_timeout: 120s", "request_timeout: 1s")
    });
    let mut stream = gate.hold(1, &upgrade("/rest/push").bytes()).remove(0);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut received = Vec::new();
    while !received.ends_with(b"late") {
        let mut some = [0; 1024];
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&some[..count]);
    }
    assert!(received.starts_with(b"HTTP/1.1 101"));
}

/// Each client sends as much of a large body as Envoy accepts. The sum is bounded by the listener's
/// limit and the socket buffers.
#[test]
fn requests_that_wait_hold_little_of_their_bodies() {
    const WAITERS: usize = 100;
    const BODY: usize = 2 << 20;
    let gate = ShippedGate::waiting(|_| Script::Hang);
    let head = format!(
        "POST /webhook/orders/a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Length: {BODY}\r\n\r\n",
        gate.token("app-a", &[READER])
    );
    let mut waiting = gate.hold(WAITERS, head.as_bytes());
    gate.wait_for(HELD, u64::try_from(WAITERS).unwrap());
    for stream in &mut waiting {
        stream.set_nonblocking(true).unwrap();
    }
    let chunk = vec![b'x'; 64 << 10];
    let mut left = vec![BODY; WAITERS];
    let (mut taken, mut unchanged) = (0, 0);
    while unchanged < 20 {
        for (stream, left) in waiting.iter_mut().zip(&mut left) {
            match stream.write(&chunk[..chunk.len().min(*left)]) {
                Ok(count) => *left -= count,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        thread::sleep(Duration::from_millis(50));
        let count = gate.stat("http.gate.downstream_cx_rx_bytes_total");
        unchanged = if count == taken { unchanged + 1 } else { 0 };
        taken = count;
    }
    assert_eq!(gate.stat(HELD), u64::try_from(WAITERS).unwrap());
    let each = taken / u64::try_from(WAITERS).unwrap();
    assert!((32 << 10..160 << 10).contains(&each), "{each} bytes each");
}

#[test]
fn a_large_body_streams_through_after_the_decision() {
    let gate = ShippedGate::waiting(|provider| Script::Drip {
        reply: Reply::json(&provider.document()),
        bytes: 40,
        pause: Duration::from_millis(500),
    });
    let body = vec![b'x'; 16 << 20];
    let request = Request::new("POST", "/webhook/orders/a")
        .bearer(&gate.token("app-a", &[READER]))
        .body("application/octet-stream", body.clone());
    assert_eq!(gate.status(&request), 200);
    assert!(gate.recorder.take()[0].body == body);
}

/// The settings of the server at the start of a connection (RFC 9113 §6.5.2).
#[test]
fn connections_over_http_2_may_hold_little() {
    let gate = ShippedGate::start(|setup| setup);
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let mut stream = gate.hold(1, hello).remove(0);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut settings = Vec::new();
    let mut window = 65_535;
    while settings.is_empty() || window == 65_535 {
        let (kind, payload) = frame(&mut stream);
        match kind {
            0x4 => settings.extend(payload.chunks_exact(6).map(|setting| {
                let (name, value) = setting.split_at(2);
                (number(name), number(value))
            })),
            0x8 => window += number(&payload),
            _ => {}
        }
    }
    let setting = |name: u64| {
        settings
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| *value)
    };
    assert_eq!(setting(0x3), Some(100), "streams at a time");
    assert_eq!(setting(0x4).unwrap_or(65_535), 65_536, "window of a stream");
    assert_eq!(window, 1 << 20, "window of the connection");
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// The kind and the payload of the next frame.
fn frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).unwrap();
    (head[3], payload)
}
