//! Upgrades through the shipped file to a real n8n.

use crate::stage;
use crate::support::http::Request;

#[test]
fn websockets_reach_n8n_where_it_serves_them_and_nowhere_else() {
    let stage = stage();
    let status = |path: &str| {
        let upgrade = Request::get(path)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
        upgrade.send(stage.envoy.port()).unwrap().status
    };
    // n8n completes the handshake first. It closes afterwards if the session is unknown.
    for path in ["/rest/push?pushRef=a", "/chat?sessionId=a&executionId=1"] {
        assert_eq!(status(path), 101, "{path}");
    }
    for path in ["/", "/webhook/a", "/rest/login", "/rest/push/", "/chats"] {
        assert_eq!(status(path), 403, "{path}");
    }
}

/// The shipped file lists the paths of this n8n: its sources name the paths with upgrades, and the
/// pattern has each of them.
#[test]
fn n8n_takes_upgrades_on_no_other_paths_than_those_that_are_listed() {
    use std::fs;
    let sources = crate::support::installed::n8n()
        .unwrap()
        .join("node_modules/n8n/dist");
    let mut taking = Vec::new();
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|is| is == "js") {
                let text = fs::read_to_string(&path).unwrap();
                if text.contains(".on('upgrade'") || text.contains(".on(\"upgrade\"") {
                    taking.push(
                        path.strip_prefix(&sources)
                            .unwrap()
                            .to_str()
                            .unwrap()
                            .to_owned(),
                    );
                }
            }
        }
    }
    taking.sort();
    let known = [
        "chat/chat-server.js",
        "modules/instance-ai/browser/browser-use-server.js",
        "push/index.js",
        // This is another server, on another port.
        "task-runners/task-broker/task-broker-server.js",
    ];
    assert_eq!(taking, known);
}
