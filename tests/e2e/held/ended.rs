//! Waits that the gate or the client ends while parts of the request still come.

use std::future::Future;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::*;

/// A gate whose provider never responds. A fetch ends after six seconds, and with it the wait.
fn without_response() -> Gate {
    let provider = provider();
    provider.script(JWKS, Script::Hang);
    let mut policy = policy();
    policy["providers"][0]["keys"]["timeout"] = json!("6s");
    Gate::at(provider, policy, Setup::holding_heads_alone)
}

/// A body that takes two seconds longer than the wait, and one that has ended before.
fn bodies() -> [(&'static str, Parts); 4] {
    let head = Parts::new("POST", WEBHOOK).bearer(&good());
    let slow = head.clone().pausing(Duration::from_millis(800));
    let parts = [b"part".as_slice(); 9];
    [
        ("no body", head.clone()),
        ("a body that has ended", head.body(&[b"whole"])),
        ("a body", slow.clone().body(&parts)),
        ("a body and trailers", slow.body(&parts).trailers()),
    ]
}

#[test]
fn a_wait_that_the_gate_ends_releases_no_part_that_still_comes() {
    let gate = without_response();
    let port = gate.envoy.port();
    thread::scope(|scope| {
        let mut waiting = Vec::new();
        for protocol in BOTH {
            for (form, parts) in bodies() {
                let send = move || crowd::send_one(port, protocol, parts);
                waiting.push((protocol, form, scope.spawn(send)));
            }
        }
        thread::sleep(Duration::from_secs(1));
        // All of them wait: none of them is decided.
        assert_eq!(gate.envoy.audit(), [] as [Value; 0]);
        assert_eq!(gate.provider.requests(JWKS), 1);
        for (protocol, form, waiting) in waiting {
            let status = waiting.join().unwrap().unwrap();
            assert_eq!(status, 503, "{form} over {protocol:?}");
        }
    });
    let audit = gate.envoy.audit();
    assert_eq!(audit.len(), bodies().len() * BOTH.len(), "{audit:?}");
    for record in audit {
        assert_eq!(record["reason"], json!("keys_unavailable"), "{record}");
        assert_eq!(record["fault"], json!("timeout"), "{record}");
    }
    // The upstream works, and nothing arrives there later either.
    let open = Request::post("/webhook/open/x", &json!({}));
    assert_eq!(open.send(port).unwrap().status, 200);
    assert_eq!(arrived(&gate), ["/webhook/open/x"]);
}

/// Sends the head of a request whose body is still to come.
async fn begin(sender: &SendRequest<Bytes>) -> (ResponseFuture, SendStream<Bytes>) {
    let request = http::Request::post(format!("http://n8n.example.test{WEBHOOK}"))
        .header("authorization", format!("Bearer {}", good()))
        .body(())
        .unwrap();
    let mut sender = sender.clone().ready().await.unwrap();
    sender.send_request(request, false).unwrap()
}

fn run<T>(task: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(task)
}

#[test]
fn a_stream_that_is_reset_while_it_waits_does_not_reach_n8n_and_others_of_its_connection_do() {
    let (gate, may_reply) = waiting(|setup| setup);
    let status = run(async {
        let stream = TcpStream::connect(("127.0.0.1", gate.envoy.port()));
        let handshake = h2::client::handshake(stream.await.unwrap());
        let (sender, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        let (response, mut body) = begin(&sender).await;
        let mut streams = Vec::new();
        for parts in 0..3 {
            let (response, mut body) = begin(&sender).await;
            for _ in 0..parts {
                body.send_data(Bytes::from_static(b"part"), false).unwrap();
            }
            streams.push((response, body));
        }
        // One whose body has ended.
        let (_, ended) = streams.last_mut().unwrap();
        ended.send_data(Bytes::new(), true).unwrap();
        sleep(Duration::from_secs(1)).await;
        for (_, body) in &mut streams {
            body.send_reset(Reason::CANCEL);
        }
        sleep(Duration::from_secs(1)).await;
        let abandoned = gate.envoy.audit();
        assert_eq!(abandoned.len(), streams.len(), "{abandoned:?}");
        for record in abandoned {
            assert_eq!(record["decision"], json!("abandoned"), "{record}");
        }
        assert_eq!(arrived(&gate), [""; 0]);
        may_reply.store(true, Ordering::SeqCst);
        body.send_data(Bytes::from_static(b"end"), true).unwrap();
        response.await.unwrap().status().as_u16()
    });
    assert_eq!(status, 200);
    assert_eq!(arrived(&gate), [WEBHOOK]);
}
