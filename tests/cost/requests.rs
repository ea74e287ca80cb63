//! Requests of every kind, in any size.

use super::host::Head;

/// Requests of one kind.
pub(crate) struct Kind {
    pub(crate) name: String,
    /// Whether each of them must reach the upstream, because a refusal could be cheaper.
    pub(crate) goes_on: bool,
    /// Makes a request of about this number of bytes.
    pub(crate) head: Box<dyn Fn(usize) -> Head>,
}

/// A call of the public API that is forwarded.
pub(crate) fn api(token: &str) -> Head {
    with(
        get("/api/v1/workflows"),
        "authorization",
        format!("Bearer {token}"),
    )
}

/// A call of a webhook with a token.
pub(crate) fn hook(path: &str, token: &str) -> Head {
    with(get(path), "authorization", format!("Bearer {token}"))
}

/// A call of the public API whose header of this name has the host.
pub(crate) fn of_host(name: &'static str, host: &str) -> Head {
    let mut head = get("/api/v1/workflows");
    head.retain(|(other, _)| other != name);
    with(head, name, host)
}

fn get(target: impl Into<Vec<u8>>) -> Head {
    let pairs = [
        (":authority", b"n8n.example.com".to_vec()),
        (":path", target.into()),
        (":method", b"GET".to_vec()),
        (":scheme", b"https".to_vec()),
        ("x-request-id", b"1".to_vec()),
    ];
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn with(mut head: Head, name: &str, value: impl Into<Vec<u8>>) -> Head {
    head.push((name.to_owned(), value.into()));
    head
}

/// `piece` as often as it fits into `size`.
fn filled(piece: &str, size: usize) -> String {
    piece.repeat(size / piece.len())
}

/// Texts that differ, with `separator` before each, `size` bytes of them.
fn counted(separator: &str, size: usize) -> String {
    let mut text = String::with_capacity(size);
    for number in 0.. {
        if text.len() >= size {
            break;
        }
        text.push_str(separator);
        text.push_str(&number.to_string());
    }
    text
}

/// Beginnings of paths for which there are rules.
const RULED: [&str; 8] = [
    "/webhook/t",
    "/webhook",
    "/webhook-test/t",
    "/webhook-waiting/7",
    "/form/t",
    "/chat",
    "/rest/projects/p/agents/v2/a/webhooks/x",
    "/api/v1/t",
];

/// Beginnings of other paths.
const UNRULED: [&str; 8] = [
    "/rest",
    "/rest/projects",
    "/api",
    "/metrics",
    "/mcp-server",
    "/oauth",
    "/.well-known/oauth-protected-resource/webhook/t",
    "",
];

/// Pieces of paths that have one reading.
const PLAIN: [&str; 6] = ["/orders", "/t", "/Orders", "/t/orders", "/%C3%84", "/tt"];

/// Pieces of paths that may have several readings.
const ODD: [&str; 20] = [
    "/%6frders",
    "/%",
    "%25",
    "%2525",
    "/..",
    "/.",
    "//",
    "/;x",
    "\\",
    "/%2e%2e",
    "/..%2f",
    "/\u{1}",
    "\u{1}",
    "/:x",
    "/a|1",
    "/webhook",
    "/.well-known",
    "/%00w",
    "a",
    "/\u{e9}",
];

/// A request for a path with `piece` repeated after its beginning.
pub(crate) fn of_path(beginning: &str, piece: &str, size: usize) -> Head {
    get(format!("{beginning}{}", filled(piece, size)))
}

/// Requests of every kind; `token` is a good one. Without `all`, only those that rules read.
pub(crate) fn kinds(all: bool, token: &str) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut add = |name: String, goes_on, head: Box<dyn Fn(usize) -> Head>| {
        kinds.push(Kind {
            name,
            goes_on,
            head,
        });
    };
    for beginning in RULED {
        paths(beginning, &PLAIN, &mut add);
        if all {
            paths(beginning, &ODD, &mut add);
        }
        let head = move |size| get(format!("{beginning}{}", counted("/", size)));
        add(
            format!("{beginning} and segments that differ"),
            false,
            Box::new(head),
        );
        // The highest number of segments that the gate reads, all of them long.
        let head = move |size: usize| {
            let segment = format!("/{}", filled("Ab", size / 50));
            get(format!("{beginning}{}", segment.repeat(50)))
        };
        add(
            format!("{beginning} and long segments"),
            false,
            Box::new(head),
        );
        let head = move |size| {
            with(
                of_path(beginning, "/orders", size),
                "x-n8n-api-key",
                "static",
            )
        };
        add(
            format!("{beginning} and a static key"),
            false,
            Box::new(head),
        );
    }
    for query in [
        "signature=t/a&",
        "signature=t",
        "&",
        "signature",
        "s%69gnature=/",
        "%",
    ] {
        let head = move |size| get(format!("/webhook-waiting/7?{}", filled(query, size)));
        add(
            format!("the query {query:?} repeated"),
            false,
            Box::new(head),
        );
    }
    let head = |size| {
        get(format!(
            "/webhook-waiting/7?signature=t{}",
            filled("/orders", size)
        ))
    };
    add("a path in a token".to_owned(), false, Box::new(head));
    if all {
        for beginning in UNRULED {
            paths(beginning, &PLAIN, &mut add);
            paths(beginning, &ODD, &mut add);
        }
        for target in ["/api/v1/workflows", "/webhook/t/orders/x", "/"] {
            headers(target, &mut add);
        }
        beside_a_token(token, &mut add);
    }
    kinds
}

type Add<'a> = dyn FnMut(String, bool, Box<dyn Fn(usize) -> Head>) + 'a;

fn paths(beginning: &'static str, pieces: &[&'static str], add: &mut Add<'_>) {
    for piece in pieces.iter().copied() {
        let head = move |size| of_path(beginning, piece, size);
        add(
            format!("{beginning} and {piece:?} repeated"),
            false,
            Box::new(head),
        );
    }
}

/// Headers that the gate reads, and one that it does not read.
const HEADERS: [&str; 16] = [
    "x-junk",
    "cookie",
    "authorization",
    "x-n8n-api-key",
    "x-auth-subject",
    "X_Auth_Subject",
    "host",
    ":authority",
    "x-request-id",
    "x-forwarded-proto",
    "x-forwarded-host",
    "origin",
    "accept",
    "connection",
    ":method",
    ":scheme",
];

/// Requests whose headers grow.
fn headers(target: &'static str, add: &mut Add<'_>) {
    for name in HEADERS {
        for value in [
            "a",
            ",",
            " ",
            "Bearer a,",
            "n8n-auth=x; ",
            ".a",
            ":",
            "\u{1}",
        ] {
            let head = move |size| {
                let mut head = get(target);
                head.retain(|(other, _)| other != name);
                with(head, name, filled(value, size))
            };
            let title = format!("{target} with {name}: {value:?} repeated");
            add(title, false, Box::new(head));
        }
        let head = move |size| many(get(target), size, |_| name.to_owned());
        add(
            format!("{target} with {name} many times"),
            false,
            Box::new(head),
        );
    }
    let head = move |size| many(get(target), size, |number| format!("x-{number:08}"));
    add(
        format!("{target} with headers that differ"),
        false,
        Box::new(head),
    );
    let head = move |size| many(get(target), size, spelled);
    let title = format!("{target} with an identity header in every spelling");
    add(title, false, Box::new(head));
}

/// Requests with a good token, whose other headers grow.
fn beside_a_token(token: &str, add: &mut Add<'_>) {
    for (name, piece) in [
        ("cookie", "a=b; "),
        ("cookie", "n8n-auth=x; "),
        ("cookie", ";"),
        ("cookie", " "),
        ("cookie", "a"),
        ("x-auth-roles", "a,"),
    ] {
        let token = token.to_owned();
        let head = move |size| with(api(&token), name, filled(piece, size));
        let title = format!("a good token with {name}: {piece:?} repeated");
        add(title, true, Box::new(head));
    }
    let names: [fn(usize) -> String; 4] = [
        |_| "cookie".to_owned(),
        |_| "x_auth_roles".to_owned(),
        |number| format!("x-{number:08}"),
        spelled,
    ];
    for name in names {
        let token = token.to_owned();
        let head = move |size| many(api(&token), size, name);
        add(
            format!("a good token with many {}", name(1)),
            true,
            Box::new(head),
        );
    }
}

/// `head` with this number of bytes of further headers.
fn many(mut head: Head, size: usize, name: impl Fn(usize) -> String) -> Head {
    let more = (0..size / 20).map(|number| (name(number), b"n8n-auth=x".to_vec()));
    head.extend(more);
    head
}

/// The spelling of an identity header with this number, for hosts that keep the case of names.
fn spelled(number: usize) -> String {
    let spell = |(index, letter): (usize, char)| match letter {
        _ if (number >> index) & 1 == 0 => letter,
        '-' => '_',
        letter => letter.to_ascii_uppercase(),
    };
    "x-auth-principal".chars().enumerate().map(spell).collect()
}
