//! What a hostile file cannot do.

use serde_json::json;

use super::{checked, configuration, envoy, Desk};

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let address = "https://gate:hunter2-c0ffee@idp.corp.test/introspect";
    let mut whole = configuration(&json!({}));
    whole["providers"][0]["introspection"] = json!({
        "uri": address, "client_id": "gate", "client_secret": "hunter2-c0ffee",
    });
    let (code, text) = checked(&whole.to_string());
    assert_eq!(code, Some(1));
    assert!(
        text.contains("introspection.uri: holds a user name or password"),
        "{text}"
    );
    assert!(!text.contains("c0ffee"), "{text}");
}

#[test]
fn nothing_in_a_file_can_forge_or_hide_a_line() {
    for odd in [
        "\u{1b}[2J",
        "\u{85}",
        "\u{7f}",
        "\u{202e}",
        "\u{200b}",
        "\u{3164}",
        "\r\n",
    ] {
        let roles = json!({"roles": {format!("a{odd}b"): "workflow:raed"}});
        let (_, text) = checked(&configuration(&roles).to_string());
        assert!(text.contains("did you mean workflow:read?"), "{text}");
        assert!(!text.contains(odd), "{odd:?}: {text:?}");
        let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"},
            "typed_per_filter_config": {format!("gate{odd}"): {"disabled": true}}}]);
        let file = envoy(&configuration(&json!({})), &routes).to_string();
        let (_, text) =
            checked(&file.replace("\"gate\"", &json!(format!("gate{odd}")).to_string()));
        assert!(text.contains("the gate is switched off"), "{text}");
        assert!(!text.contains(odd), "{odd:?}: {text:?}");
        let name = format!("x{odd}");
        let (_, text) = Desk::new(&[]).run(&["check", &name]);
        assert!(
            text.contains("No such file") && !text.contains(odd),
            "{text:?}"
        );
    }
}

/// Each line names the one before ten times.
fn billion_laughs(width: usize) -> String {
    let mut lines = vec!["providers: 1".to_owned(), "a0: &a0 [lol]".to_owned()];
    for (line, before) in (1..12).zip(0..) {
        let before = format!("*a{before}, ").repeat(10);
        lines.push(format!("a{line}: &a{line} [{before}]"));
    }
    lines.push(format!("wide: [{}]", "x, ".repeat(width)));
    lines.join("\n")
}

#[test]
fn no_file_takes_more_than_its_bounds() {
    let text = format!(
        "a: &a {}\nb: [{}]",
        "x".repeat(100_000),
        "*a, ".repeat(50_000)
    );
    let list = format!(
        "a: &a [{}]\nb: [{}]",
        "x, ".repeat(50_000),
        "*a, ".repeat(50_000)
    );
    let inner = json!({"data": {"envoy.yaml": billion_laughs(50_000)}}).to_string();
    let mut texts = "providers: 1".to_owned();
    for _ in 0..6 {
        texts = json!({ "a": texts }).to_string();
    }
    for (name, file, said) in [
        ("laughs", billion_laughs(0), "more than 500000 values"),
        (
            "wide laughs",
            billion_laughs(100_000),
            "more than 500000 values",
        ),
        ("a list many times", list, "more than 500000 values"),
        ("a text many times", text, "more than 16 MiB of text"),
        ("laughs in a text", inner, "more than 500000 values"),
        (
            "deep flow",
            "[".repeat(4_000_000),
            "nested deeper than 64 levels",
        ),
        (
            "deep blocks",
            "- ".repeat(2_000_000),
            "nested deeper than 64 levels",
        ),
        (
            "deep maps",
            "a: {".repeat(1_000_000),
            "nested deeper than 64 levels",
        ),
        ("texts in texts", texts, "nested deeper than 64 levels"),
        ("many values", "a,".repeat(2_000_000), "no configuration"),
        (
            "many items",
            format!("[{}]", "a,".repeat(500_001)),
            "more than 500000 values",
        ),
        (
            "many documents",
            "--- a\n".repeat(500_001),
            "more than 500000 values",
        ),
        (
            "too large",
            " ".repeat(4 * 1024 * 1024 + 1),
            "is larger than 4 MiB",
        ),
    ] {
        let (code, text) = checked(&file);
        let shown: String = text.chars().take(300).collect();
        let is_unread = name == "too large";
        assert_eq!(code, Some(if is_unread { 2 } else { 1 }), "{name}: {shown}");
        assert!(text.contains(said) && text.len() < 1000, "{name}: {shown}");
    }
}

#[test]
fn devices_and_endless_input_are_not_read_to_their_end() {
    let desk = Desk::new(&[("gate.yaml", &configuration(&json!({})).to_string())]);
    for device in ["/dev/zero", "/dev/urandom"] {
        let key_set = format!("idp={device}");
        for arguments in [
            &["check", device][..],
            &["explain", device],
            &["explain", "gate.yaml", "--token-file", device],
            &["explain", "gate.yaml", "--key-set", &key_set],
            &["explain", "gate.yaml", "--response", &key_set],
        ] {
            let (code, text) = desk.run(arguments);
            let is_refused = text.contains("is neither a file nor a pipe")
                || text.contains("idp is not asked about tokens");
            let expected = if arguments[0] == "check" { 2 } else { 1 };
            assert!(
                code == Some(expected) && is_refused,
                "{arguments:?}: {text}"
            );
        }
    }
    let endless = vec![b'a'; 5 * 1024 * 1024];
    for arguments in [
        &["explain", "gate.yaml", "--token-file", "-"][..],
        &["explain", "gate.yaml", "--key-set", "idp=/dev/stdin"],
        &["check", "/dev/stdin"],
        &["check", "-"],
    ] {
        let (code, text) = desk.run_with(arguments, &endless);
        let expected = if arguments[0] == "check" { 2 } else { 1 };
        assert!(
            code == Some(expected) && text.contains("is larger than 4 MiB"),
            "{arguments:?}: {text}"
        );
    }
    let whole = configuration(&json!({})).to_string();
    let (code, text) = desk.run_with(&["check", "/dev/stdin"], whole.as_bytes());
    assert_eq!((code, text.as_str()), (Some(0), "/dev/stdin: good\n"));
}
