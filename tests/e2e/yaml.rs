//! The command line reads YAML as Envoy does, or refuses it. Both read every form here.
//!
//! The dump of Envoy's configuration has a `Struct` of its file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use n8n_idp_gate::config::yaml::{Budget, Document, Form, Reader, YamlFault};
use serde_json::{Map, Value};

use crate::support::http::Request;
use crate::support::process::{Ending, Process};
use crate::support::{installed, ports};

const START: Duration = Duration::from_secs(60);

/// The value that Envoy reads for `node.metadata` in a file. `None`: it refuses the file.
fn as_envoy(file: &[u8], admin: u16) -> Option<Value> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("envoy.yaml");
    fs::write(&path, file).unwrap();
    let mut envoy = start(&path, &directory.path().join("log"));
    let mut dump = None;
    let waited = envoy.wait_until(START, |_| {
        let response = Request::get("/config_dump?mask=bootstrap").send(admin);
        dump = response
            .ok()
            .and_then(|response| serde_json::from_slice(&response.body).ok());
        dump.is_some()
    });
    if waited.is_err() {
        // Envoy reports the error, or crashes at an alias of a node that contains it.
        return None;
    }
    let dump: Value = dump.unwrap();
    let found = dump["configs"].as_array().unwrap().iter();
    let mut found = found.filter_map(|config| config.pointer("/bootstrap/node/metadata"));
    Some(with_doubles(found.next().cloned().unwrap_or_default()))
}

fn start(file: &Path, log: &Path) -> Process {
    let program = installed::envoy().unwrap();
    Process::start("Envoy", &program, log, Ending::Kill, |command| {
        command
            .arg("--config-path")
            .arg(file)
            .args(["--use-dynamic-base-id", "--concurrency", "1"])
            .args(["--log-level", "error"]);
    })
    .unwrap()
}

/// The beginning of every file.
fn head(admin: u16) -> String {
    format!(
        "admin: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {admin} }} }} }}\n\
         node:\n  id: a\n  cluster: b\n"
    )
}

fn as_the_command_line(file: &str) -> Result<Document, YamlFault> {
    let documents = Budget::default().documents(file, Reader::Envoy)?;
    Ok(documents.into_iter().next().unwrap())
}

fn metadata(document: &Document) -> Value {
    let found = document.value.pointer("/node/metadata");
    with_doubles(found.cloned().unwrap_or_default())
}

/// All numbers of a `Struct` are doubles.
fn with_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().unwrap().into(),
        Value::Array(items) => items.into_iter().map(with_doubles).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            let members: Map<_, _> = members
                .map(|(name, value)| (name, with_doubles(value)))
                .collect();
            Value::Object(members)
        }
        other => other,
    }
}

/// Scalars that an operator may write: words, numbers in every notation, dates, versions, ids.
const FORMS: &str = "~ null Null NULL nULL nil none true True TRUE tRUE false False FALSE yes Yes YES \
    yES no No NO nO on On ON oN off Off OFF oFF y Y n N t f T F ye yess 0 -0 +0 00 7 +7 -7 007 08 09 \
    010 -010 +010 0x 0x1f 0X1F -0x1F +0x1f 0x1G 0o 0o17 0O17 -0o17 0b 0b101 -0b1 0b12 1_000 _1 1_ \
    0x_1 1__0 2147483647 2147483648 -2147483648 -2147483649 +2147483648 4294967296 \
    0x7fffffff 0x80000000 -0x80000000 -0x80000001 0x7fffffffff 017777777777 020000000000 \
    0777777777777 9007199254740991 9007199254740993 9223372036854775807 9223372036854775808 \
    -9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 \
    0x7fffffffffffffff 0x8000000000000000 0xffffffffffffffff -0x8000000000000000 \
    340282366920938463463374607431768211456 7.0 7. .7 . .. 1.5 -1.5 +1.5 +.5 -.5 .5. 1.2.3 1.2.3.4 \
    1e3 1E3 1e+3 1E-3 1.5e3 .5e3 1.e3 1e 1e+ e3 0e0 0x1p3 0x1.8 1e400 .inf .Inf .INF -.inf +.inf \
    -.Inf .nan .NaN .NAN -.nan inf Inf -inf nan NaN infinity Infinity -Infinity 1:30 1:30:00 -1:30 \
    190:20:30 190:20:30.15 2026-01-01 2026-1-1 2026-01-01T00:00:00Z 2026-01-01t00:00:00.5+01:00 \
    30s 5m 1h30m 500ms 1d = << * ** a*b \"7\" '7' \"yes\" 'no' \"~\" '' \"\" \"null\" '1e3' \
    \"0x1f\" \"\\u202e\" \"\\x41\\x80\\xff\" \"\\U0001F600\" \"a\\/b\" \"\\L\\P\\e\\0\" \"\\\\N\" \
    \"\\a\\b\\t\\n\\v\\f\\r\" 'it''s' \"a\\\\b\" \"\\\"\" api://n8n https://idp.example.com/a?b#c \
    6731de76-14a6-49ae-97bc-6eba6914391e 1e10e2 12e4567 a@b.c --1 +-1 -+1 ++1 - -- + 1- 1+ 1-2 x=1 \
    $x ${X} 1,5 100% 7% \u{661}\u{662} ja \u{44f} 1\u{a0} NO: é";

/// Whether a text may be written without quotes and is a scalar.
fn is_scalar(form: &str, in_flow: bool) -> bool {
    let begins = !form.starts_with(['*', '&', '!', '%', '@', '`', '|', '>', '?'])
        && !matches!(form, "-" | "---" | "...");
    let is_quoted = form.starts_with(['"', '\'']);
    begins
        && !form.ends_with(':')
        && (!in_flow || is_quoted || !form.contains([',', '[', ']', '{', '}', '?']))
}

/// Every short text of these characters, and random longer ones.
fn generated() -> Vec<String> {
    let letters = b"0179xob_.+-eyNn";
    let mut forms = vec![String::new()];
    let mut last = forms.clone();
    for _ in 0..3 {
        let longer = last.iter().flat_map(|form| {
            let letters = letters.iter();
            letters.map(move |letter| format!("{form}{}", char::from(*letter)))
        });
        last = longer.collect();
        forms.extend(last.clone());
    }
    let mut state = 7_u64;
    let mut chance = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let letters = b"0123456789abcdefABCDEFxXoO_.+-eE:yn";
    for _ in 0..4000 {
        let length = 4 + chance(18);
        let form = (0..length).map(|_| char::from(letters[chance(letters.len())]));
        forms.push(form.collect());
    }
    for _ in 0..2000 {
        let prefix = ["", "-", "+", "0", "0x", "-0x", "0o", "1e", "."][chance(9)];
        let digits = 1 + chance(21);
        let digits = (0..digits).map(|_| char::from(b'0' + u8::try_from(chance(10)).unwrap()));
        forms.push(prefix.chars().chain(digits).collect());
    }
    forms
}

#[test]
fn every_form_of_a_scalar_is_read_as_envoy_reads_it() {
    let admin = ports::free().unwrap();
    let mut forms: Vec<String> = FORMS.split(' ').map(str::to_owned).collect();
    forms.extend(generated());
    let tags = [
        "!!str",
        "!!int",
        "!!bool",
        "!!null",
        "!!float",
        "!!timestamp",
        "!own",
        "!",
    ];
    for tag in tags {
        let forms_of_tag = [
            "7",
            "007",
            "yes",
            "~",
            "1e3",
            "\"7\"",
            "'yes'",
            "a",
            "2147483648",
        ];
        forms.extend(forms_of_tag.iter().map(|form| format!("{tag} {form}")));
    }
    forms.retain(|form| form.starts_with('!') || (!form.is_empty() && is_scalar(form, false)));
    let mut file = head(admin) + "  metadata:\n";
    for (index, form) in forms.iter().enumerate() {
        let _ = write!(
            file,
            "    f{index}: {form}\n    c{index}: {form} # a comment\n"
        );
        let _ = write!(file, "    s{index}:\n    - {form}\n    - - {form}\n");
        if form.starts_with('!') || is_scalar(form, true) {
            let _ = write!(
                file,
                "    w{index}: [{form}, [ {form} ]]\n    m{index}: {{ a: {form}, b: {form} }}\n"
            );
        }
        if !form.starts_with('!') && !matches!(&**form, "~" | "null" | "Null" | "NULL") {
            let _ = write!(
                file,
                "    k{index}:\n      {form}: {form}\n    n{index}: {{ a: 7 }}\n"
            );
        }
    }
    let envoy = as_envoy(file.as_bytes(), admin).unwrap();
    let ours = as_the_command_line(&file).unwrap();
    let read = metadata(&ours);
    let mut differences = Vec::new();
    for (index, form) in forms.iter().enumerate() {
        for key in ["f", "c", "s", "w", "m", "k", "n"] {
            let name = format!("{key}{index}");
            let (one, other) = (&envoy[&name], &read[&name]);
            if one != other {
                differences.push(format!(
                    "{form:?}: Envoy reads {one}, the command line {other}"
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    // If Envoy changes the text of a scalar, the command line reads it unchanged and refuses it in
    // a configuration.
    let is_odd = |form: &str| {
        let index = forms.iter().position(|other| other == form).unwrap();
        ours.odd
            .iter()
            .any(|odd| odd.pointer == format!("/node/metadata/f{index}"))
    };
    for form in [
        "0x1f",
        "007",
        "+7",
        "-0",
        "0x7fffffffff",
        "!!str 7",
        "!own a",
    ] {
        assert!(is_odd(form), "{form}");
    }
    for form in ["7", "yes", "2147483648", "7.0", "08", "'7'", "~", "30s"] {
        assert!(!is_odd(form), "{form}");
    }
}

#[test]
fn every_form_of_a_file_is_read_as_envoy_reads_it_or_refused() {
    let admin = ports::free().unwrap();
    let head = head(admin);
    let of_metadata = BODIES
        .iter()
        .map(|body| format!("{head}  metadata:\n{body}"));
    let befores = BEFORE
        .iter()
        .map(|before| format!("{before}{head}  metadata: {{a: 7, b: yes}}\n"));
    let long = ["k".repeat(1000), "k".repeat(1030)]
        .map(|name| format!("{head}  metadata:\n    {name}: 1\n"));
    let mut differences = Vec::new();
    for file in of_metadata.chain(befores).chain(long) {
        let envoy = as_envoy(file.as_bytes(), admin);
        let ours = as_the_command_line(&file);
        let differs = match (&envoy, &ours) {
            (Some(envoy), Ok(ours)) => {
                *envoy != metadata(ours) && !ours.odd.iter().any(|odd| odd.form == Form::Block)
            }
            // Envoy refuses it because the value is not a map, not because of its form.
            (None, Ok(ours)) => metadata(ours).is_object(),
            (_, Err(_)) => false,
        };
        if differs {
            let text = file.replace(&head, "");
            let ours = ours.map(|ours| metadata(&ours));
            differences.push(format!(
                "{text:?}: Envoy reads {envoy:?}, the command line {ours:?}"
            ));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

/// Beginnings of a file.
const BEFORE: &[&str] = &[
    "",
    "\u{feff}",
    "\u{feff}\u{feff}",
    "---\n",
    "--- # a\n",
    "# a\n---\n",
    "---\n---\n",
    "---\n\u{feff}",
    "%YAML 1.1\n---\n",
    "%YAML 1.2\n---\n",
    "%YAML 1.3\n---\n",
    "%YAML 2.0\n---\n",
    "%YAML 1\n---\n",
    "%YAML  1.2\n---\n",
    "# a\n%YAML 3.0\n---\n",
    "# a\n...\n",
    "---\n...\n",
    "%TAG !y! tag:yaml.org,2002:\n---\n",
    "%FOO\n---\n",
    "%YAML 1.1\n",
    "\n\n",
    "...\n",
    " ",
    "\t\n",
    "# \t a\n",
];

/// Values below `metadata`.
const BODIES: &[&str] = &[
    "    a: 1\n    a: 2\n",
    "    a: {x: 1, x: 2}\n",
    "    a: &a {x: 1}\n    b: {<<: *a, y: 2}\n",
    "    ~: 1\n",
    "    null: 1\n",
    "    : 1\n",
    "    ? a\n",
    "    ? a\n    : 7\n",
    "    ? [a]\n    : 1\n",
    "    ? {a: 1}\n    : 1\n",
    "    1: a\n    0x1f: b\n    yes: c\n    1.0: d\n    \"q\": e\n    007: f\n    true: g\n    No: h\n    'a b': i\n",
    "    !ignore a: 1\n    b: 2\n",
    "    !ignore a: &x {y: 7}\n    b: *x\n",
    "    !!str a: 1\n",
    "    a: !ignore 1\n",
    "    a: &x 7\n    b: *x\n    c: [*x, *x]\n    d: {e: *x}\n",
    "    a: &x 2147483648\n    b: *x\n",
    "    a: &x k\n    *x : 1\n",
    "    &x a: 1\n    b: *x\n",
    "    a: &x\n    b: *x\n",
    "    a: &x ~\n    b: *x\n",
    "    a: &x 1\n    b: &x 2\n    c: *x\n",
    "    a: *x\n    b: &x 1\n",
    "    a: &x [1, *x]\n",
    "    a: &x.y-z 1\n    b: *x.y-z\n",
    "    a: &x !!str 7\n    b: !!str &y 7\n",
    "    a: !<tag:yaml.org,2002:str> 7\n",
    "    a: !!map {x: 1}\n    b: !own [1]\n    c: !!seq [1]\n",
    "    a: !!set {x, y}\n",
    "    a: !!binary aGk=\n",
    "    a: |\n      7\n    b: >-\n      yes\n    c: |+\n      x\n\n    d: |2\n        x\n    e: |-\n      a\n       b\n",
    "    a: >\n      x\n      y\n\n      z\n        q\n      w\n",
    "    a: >\n\n\n      x\n\n       y\n\n      z\n",
    "    a: >+\n      x\n\n\n    b: 1\n",
    "    a: |-\n      x\n\n\n    b: 1\n",
    "    a: |\n      x  \n      \n    b: 1\n",
    "    a: |\n        \n      x\n    b: 1\n",
    "    a: | # c\n      x\n",
    "    a: |# c\n      x\n",
    "    a: |1\n     x\n",
    "    a: |1-\n     x\n    b: >+1\n     y\n",
    "    a: |9\n    b: 1\n",
    "    a: |\n    b: 1\n",
    "    a: |\n\n    b: 1\n",
    "    a: |\n      \tx\n",
    "    a: |\n      x\n     y\n",
    "    a: |\n      x\n",
    "    a: |\n      x",
    "    a: >-\n      x",
    "    a: x\n      y\n\n      z\n",
    "    a: 1\n      2\n",
    "    a: ye\n      s\n",
    "    a:\n      yes\n",
    "    a:\n      7\n    b:\n     - 7\n",
    "    a: \"x\n      y\n\n      z\\\n      w\"\n",
    "    a: \"x \\\n      y\"\n",
    "    a: \"x\\  \n      y\"\n",
    "    a: 'x\n\n      y'\n",
    "    a: 'x\n  y'\n",
    "    a: \"x\n",
    "    a: 'x\n",
    "    a: x\n...\n",
    "    a: x\n---\nnode: {metadata: {a: y}}\n",
    "    a: x\n---\n[ : {{\n",
    "    a: x\n...\nb: [\n",
    "    a: x\n--- \n",
    "    a:\tx\n",
    "    a: x\t# c\n",
    "\ta: x\n",
    "    a: [x,\ty]\n",
    "    a: {x:\ty}\n",
    "    a: x\ty\n",
    "    a:\n    -\tx\n",
    "    a:\n    -\t- x\n",
    "    a: {\n\tb: 1}\n",
    "    a: {\n\t\tb: 1\n\t}\n",
    "    a:\n\t- x\n",
    "    a: 1 \t\n",
    "    a: yes\t\n",
    "    a\t: 1\n",
    "    a: 1\n\t\n    b: 2\n",
    "    a: \"x\ty\"\n",
    "    a: \"x\n\ty\"\n",
    "    a: \"\\ud83d\\ude00\"\n",
    "    a: \"\\ud800\"\n",
    "    a: \"\\U00110000\"\n",
    "    a: \"\\UFFFFFFFF\"\n",
    "    a: \"\\q\"\n",
    "    a: \"\\x4\"\n",
    "    a: \"\\u0000\"\n",
    "    a: \"\\N\"\n",
    "    a: \"\\_\"\n",
    "    a: \"\\u0085\\xa0\"\n",
    "    a: \"\\'\"\n",
    "    a: '\\n'\n",
    "    a: x\u{85}y\n",
    "    a: x\u{2028}y\n",
    "    a: x\u{a0}y\n    b: \u{a0}7\n    c: 7\u{3000}\n",
    "    a: x\u{1}y\n",
    "    a: \"x\u{1}y\"\n",
    "    a: x\0y\n",
    "    a: x\u{4}y\n",
    "    a: x\u{7f}y\n",
    "    a: x\u{c}y\n",
    "    a: x\r    b: y\n",
    "    a: x\r\n    b: y\r\n",
    "    a: |\r\n      x\r\n      y\r\n",
    "    a: \"x\r\n      y\"\r\n",
    "    a: \u{feff}x\n",
    "    a: \u{1f600}\n",
    "    a: {\"x\":1,\"y\":[1,2]}\n",
    "    a: {\"x\" :1}\n",
    "    a: {'x':1}\n",
    "    a: {x:1}\n",
    "    a: {x: 1,y: 2}\n",
    "    a: [\"x\":1]\n",
    "    a: [x:y, a : b]\n",
    "    a: [a?b]\n",
    "    a: [?x]\n",
    "    a: {b: c?}\n",
    "    a: {b?: c}\n",
    "    a: [\"a?b\", 'c?']\n    b: c?d\n    e:\n    - [f]\n    - g?h\n",
    "    a: |\n      [b?c]\n",
    "    a: >+\n      x\n",
    "    a: |+\n      x\n\n\n    b: 1\n",
    "    a: |-\n      x",
    "    a: >\n      x",
    "    a: |+\n      x",
    "    a: \"x\"",
    "    a: x",
    "    a: [x]",
    "    a: |\n      x\n      ",
    "    a: [-x, -, - x]\n",
    "    a: [- x]\n",
    "    a: [-1, :x]\n",
    "    a: [http://x, api://n8n]\n",
    "    a: [x\n     y, z]\n",
    "    a: [x,\ny]\n",
    "    a: [x,\n    y\n    ]\n",
    "    a: [\nx\n]\n",
    "    a: {\n    }\n",
    "    a: {x: {y: [z]}}\n    b: []\n    c: {}\n",
    "    a: [x, y, ]\n",
    "    a: [x,,y]\n",
    "    a: [ , ]\n",
    "    a: [,]\n",
    "    a: {,}\n",
    "    a: {x, y: 1}\n",
    "    a: {x: 1, }\n",
    "    a: {? x : 1}\n",
    "    a: {: 1}\n",
    "    a: [x: 1, ? y : 2]\n",
    "    a: [{x: 1}: 2]\n",
    "    a: [x #y\n    , z]\n",
    "    a: [x, y]z\n",
    "    a: {x: 1} y\n",
    "    a: [x\n",
    "    a: x]\n    b: x}\n    c: x,y\n",
    "    a: ]\n",
    "    a: x#y\n    b: x #y\n    c: #y\n",
    "    a: \"x\"#y\n",
    "    a: \"x\" y\n",
    "    a: \"x\" # y\n",
    "    a: @x\n",
    "    a: `x\n",
    "    a: %x\n",
    "    a: ?x\n",
    "    a: ? x\n",
    "    a: -x\n",
    "    a: - x\n",
    "    a: :x\n",
    "    a: x:\n",
    "    a: x: y\n",
    "    a: x:y\n",
    "    a: *\n",
    "    a: &\n",
    "    a: !\n",
    "    a: !!str\n",
    "    a: x | y > z & w * v ! u\n",
    "    a: |x\n",
    "    a: >x\n",
    "    a: 'x' 'y'\n",
    "    a: x 'y' \"z\"\n",
    "    a:\n    - x\n    - y\n",
    "    a:\n      - x\n      - y\n",
    "    a:\n    - x\n     - y\n",
    "    a:\n    - x: 1\n      y: 2\n    -\n      x: 1\n",
    "    a:\n    - - 1\n      - 2\n    - \n    -\n",
    "    a:\n   - x\n",
    "    a:\n    b: 1\n",
    "    a:\n      b: 1\n     c: 2\n",
    "    a: 1\n      b: 2\n",
    "    a:\n   # c\n      b: 1\n",
    "    a: # c\n      b: 1\n",
    "    a:\n# c\n\n      b: 1\n  # d\n    e: 2\n",
    "    \"a\":1\n",
    "    \"a\" : 1\n",
    "    a : 1\n",
    "    a :1\n",
    "    a:1\n",
    "    'a': 1\n    \"\\u0062\": 2\n",
    "    \"a\n      b\": 1\n",
    "    a b: 1\n    -c: 2\n    d-: 3\n    e#f: 4\n    g[h]: 5\n",
    "    [a]: 1\n",
    "    {a: 1}: 1\n",
    "    a: =\n    b: ==\n",
    "    a: \"\"\n    b: ''\n    c: \" \"\n",
    "    a: ''''\n    b: \"''\"\n",
    "    a: 1 # \u{e9}\n",
    "    a: $(x) ${y} {{z}}\n",
    "    a: {{x}}\n",
    "    a: >2\n      x\n    b: |-2\n       y\n",
];
