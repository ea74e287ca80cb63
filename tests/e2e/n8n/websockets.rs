//! Upgrades, through the shipped file, where the real n8n serves them.

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
    // n8n shakes hands first, and closes afterwards where it does not know who is there.
    for path in ["/rest/push?pushRef=a", "/chat?sessionId=a&executionId=1"] {
        assert_eq!(status(path), 101, "{path}");
    }
    for path in ["/", "/webhook/a", "/rest/login", "/rest/push/", "/chats"] {
        assert_eq!(status(path), 403, "{path}");
    }
}

/// What the shipped file lists is what this n8n has: its sources name the paths on which it takes
/// upgrades, and each of them has its part in the pattern.
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
        // A server of its own, on another port.
        "task-runners/task-broker/task-broker-server.js",
    ];
    assert_eq!(taking, known);
}
