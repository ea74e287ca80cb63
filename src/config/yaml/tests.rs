use serde_json::{json, Value};

use super::fault::{MAX_DEPTH, MAX_VALUES};
use super::*;

fn read(text: &str) -> Result<Value, YamlFault> {
    to_json(text).map(|json| serde_json::from_slice(&json).unwrap())
}

/// One document, and the pointers, lines and forms of what is odd in it.
fn read_by(reader: Reader, text: &str) -> (Value, Vec<(String, usize, Form)>) {
    let mut documents = Budget::default().documents(text, reader).unwrap();
    let document = documents.pop().unwrap();
    let odd = document.odd.into_iter();
    let odd = odd.map(|odd| (odd.pointer, odd.line, odd.form));
    (document.value, odd.collect())
}

#[test]
fn yaml_says_what_json_would() {
    assert_eq!(
        read("a: 1\nb: [x, true, ~, '1.5', -2]\n3: { c: \"4\" }\nd: &d [z]\ne: *d\n"),
        Ok(json!({
            "a": 1, "b": ["x", true, null, "1.5", -2], "3": {"c": "4"}, "d": ["z"], "e": ["z"],
        }))
    );
    assert_eq!(read(""), Ok(Value::Null));
    assert_eq!(
        read("[1.2.3, 12-3, yes, On, 'true', \"\\u202e\", 2026-01-01, 1:30, nULL, 2147483647]"),
        Ok(json!([
            "1.2.3",
            "12-3",
            true,
            true,
            "true",
            "\u{202e}",
            "2026-01-01",
            "1:30",
            "nULL",
            2_147_483_647,
        ]))
    );
    assert_eq!(
        read("\u{feff}a: |\n  x\n  y\nb: >-\n  x\n  y\n"),
        Ok(json!({"a": "x\ny\n", "b": "x y"}))
    );
    let documents = Budget::default().documents("a: |\n  ---\n---\nb", Reader::Envoy);
    let values = documents
        .unwrap()
        .into_iter()
        .map(|document| document.value);
    let expected = [json!({"a": "---\n"}), json!("b")];
    assert_eq!(values.collect::<Vec<_>>(), expected);
}

/// What each makes of a scalar, and what is odd about it to Envoy, to Kubernetes, and where it may
/// be either.
#[test]
#[allow(clippy::too_many_lines, reason = "one table, a line for each form")]
fn readers_see_different_things_in_a_scalar() {
    use Form::{Beyond32Bits, Disguised, Inexact, OtherNumber};
    for (text, envoy, kubernetes, forms) in [
        ("7", json!(7), json!(7), [None; 3]),
        ("yes", json!(true), json!(true), [None; 3]),
        ("n", json!(false), json!(false), [None; 3]),
        ("~", json!(null), json!(null), [None; 3]),
        ("a", json!("a"), json!("a"), [None; 3]),
        (
            "007",
            json!(7),
            json!("007"),
            [Some(Disguised), Some(OtherNumber), Some(Disguised)],
        ),
        (
            "010",
            json!(8),
            json!("010"),
            [Some(Disguised), Some(OtherNumber), Some(Disguised)],
        ),
        (
            "08",
            json!("08"),
            json!("08"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        (
            "0x1f",
            json!(31),
            json!("0x1f"),
            [Some(Disguised), Some(OtherNumber), Some(Disguised)],
        ),
        (
            "0x7fffffffff",
            json!("549755813887"),
            json!("0x7fffffffff"),
            [Some(Disguised), Some(OtherNumber), Some(Disguised)],
        ),
        (
            "-0",
            json!(0),
            json!("-0"),
            [Some(Disguised), Some(OtherNumber), Some(Disguised)],
        ),
        (
            "2147483648",
            json!("2147483648"),
            json!(2_147_483_648_i64),
            [None, None, Some(Beyond32Bits)],
        ),
        (
            "9007199254740993",
            json!("9007199254740993"),
            json!("9007199254740993"),
            [None, Some(Inexact), Some(Beyond32Bits)],
        ),
        (
            "99999999999999999999",
            json!("99999999999999999999"),
            json!("99999999999999999999"),
            [None, Some(Inexact), Some(Beyond32Bits)],
        ),
        (
            "7.0",
            json!("7.0"),
            json!("7.0"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        (
            "1e3",
            json!("1e3"),
            json!("1e3"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        (
            "+.5",
            json!("+.5"),
            json!("+.5"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        (
            "0o17",
            json!("0o17"),
            json!("0o17"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        (
            "0b1",
            json!("0b1"),
            json!("0b1"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        (
            "1_000",
            json!("1_000"),
            json!("1_000"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        (
            ".inf",
            json!(".inf"),
            json!(".inf"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        (
            ".NaN",
            json!(".NaN"),
            json!(".NaN"),
            [None, Some(OtherNumber), Some(OtherNumber)],
        ),
        ("_1", json!("_1"), json!("_1"), [None; 3]),
        ("1:30", json!("1:30"), json!("1:30"), [None; 3]),
        ("0x", json!("0x"), json!("0x"), [None; 3]),
    ] {
        let readers = [Reader::Envoy, Reader::Kubernetes, Reader::Either];
        for (reader, form) in readers.into_iter().zip(forms) {
            let expected = if reader == Reader::Kubernetes {
                &kubernetes
            } else {
                &envoy
            };
            for file in [text.to_owned(), format!("[{text}]"), format!("a: {text}")] {
                let (value, odd) = read_by(reader, &file);
                let value = value.get(0).or(value.get("a")).unwrap_or(&value);
                assert_eq!(value, expected, "{text} by {reader:?}");
                let found = odd.first().map(|(_, _, form)| *form);
                assert_eq!(found, form, "{text} by {reader:?}");
            }
            let (value, odd) = read_by(reader, &format!("'{text}'"));
            assert_eq!(
                (value, odd),
                (json!(text), vec![]),
                "'{text}' by {reader:?}"
            );
        }
    }
}

#[test]
fn what_is_odd_has_a_pointer_and_a_line_also_where_an_alias_repeats_it() {
    let text = "a: &x\n  - 1\n  - {b/c: 1.5, d: 2.5}\ne: {f: *x}\n!!str g: 1\nyes: 0.5\n";
    let (value, odd) = read_by(Reader::Either, text);
    assert_eq!(value["e"]["f"], json!([1, {"b/c": "1.5", "d": "2.5"}]));
    let odd: Vec<_> = odd
        .iter()
        .map(|(pointer, line, _)| (&**pointer, *line))
        .collect();
    assert_eq!(
        odd,
        [
            ("/a/1/b~1c", 3),
            ("/a/1/d", 3),
            ("/e/f/1/d", 3),
            ("/e/f/1/b~1c", 3),
            ("/g", 5),
            ("/yes", 6),
            ("/yes", 6),
        ]
    );
}

#[test]
fn what_readers_disagree_on_is_refused() {
    for (text, fault) in [
        ("a: 1\na: 2", YamlFault::DuplicateField(2)),
        ("1: 1\n'1': 2", YamlFault::DuplicateField(2)),
        ("[a]: 1", YamlFault::Name(1)),
        ("~: 1", YamlFault::Name(1)),
        ("a: &a b\n*a : 1", YamlFault::Name(2)),
        ("a: !secret b", YamlFault::Odd(1, Form::Tag)),
        ("\na: !!map {}", YamlFault::Odd(2, Form::Tag)),
        ("a: .nan", YamlFault::Odd(1, Form::OtherNumber)),
        ("yes: 1", YamlFault::Odd(1, Form::Name)),
        ("0x1: 1", YamlFault::Odd(1, Form::Name)),
        ("a: {<<: {b: 1}}", YamlFault::Odd(1, Form::Merge)),
        ("a: 1\n\nb: \"x\u{1}y\"", YamlFault::Character(3)),
        ("a: x\ry", YamlFault::Character(1)),
        ("a: \"x\\\\\\N\"", YamlFault::Character(1)),
        ("a: [\"\\_\"]", YamlFault::Character(1)),
        ("a: x\u{feff}y", YamlFault::Character(1)),
        (
            "a: 340282366920938463463374607431768211455",
            YamlFault::Odd(1, Form::Beyond32Bits),
        ),
        ("a\n---\nb", YamlFault::SeveralDocuments),
    ] {
        assert_eq!(read(text), Err(fault), "{text}");
    }
    for (text, fault) in [
        ("a: x\u{85}y", YamlFault::Character(1)),
        ("a: {<<: {b: 1}}", YamlFault::Odd(1, Form::Merge)),
    ] {
        let read = Budget::default().documents(text, Reader::Kubernetes);
        assert_eq!(read, Err(fault), "{text}");
    }
    for text in ["a: [", "a: *unknown", "a: &a [*a]", "a: b: c"] {
        let read = read(text);
        assert!(
            matches!(read, Err(YamlFault::NotYaml(..))),
            "{text}: {read:?}"
        );
    }
}

#[test]
fn what_envoy_does_not_read_is_refused_but_for_manifests() {
    for (text, line) in [
        ("a: [https://x/y?z]", 1),
        ("\na: {b?: 1}", 2),
        ("a:\n- b: [{c: [d, e?]}]", 2),
        ("a: 1\n\t\nb: 2", 2),
        ("%YAML 2.0\n---\na: 1", 1),
        ("# a\n...\na: 1", 2),
    ] {
        assert_eq!(read(text), Err(YamlFault::Stops(line)), "{text}");
    }
    for text in [
        "a: x?y",
        "a: ['x?']",
        "a: [b]\nc: d?",
        "a: |\n  [x?]\n",
        "%YAML 1.2\n---\na: 1",
    ] {
        assert!(read(text).is_ok(), "{text}");
    }
    let manifest = Budget::default().documents("a: [x?y]", Reader::Kubernetes);
    assert_eq!(manifest.unwrap()[0].value, json!({"a": ["x?y"]}));
}

#[test]
fn a_block_with_an_end_that_readers_see_differently_is_odd() {
    for (text, is_odd) in [
        ("a: |\n  x", true),
        ("a: >-\n  x", true),
        ("a: >+\n  x\n\nb: 1\n", true),
        ("a: |+\n  x\n\nb: 1\n", false),
        ("a: |\n  x\n", false),
        ("a: |\n  x\nb: 1", false),
    ] {
        let (_, odd) = read_by(Reader::Envoy, text);
        let forms: Vec<_> = odd.into_iter().map(|(_, _, form)| form).collect();
        assert_eq!(forms, vec![Form::Block; usize::from(is_odd)], "{text:?}");
    }
}

#[test]
fn depth_values_and_text_have_bounds() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(read(&nested(MAX_DEPTH + 1)), Err(YamlFault::TooDeep));
    let items = |count: usize| format!("[{}]", "a,".repeat(count));
    assert!(read(&items(MAX_VALUES - 1)).is_ok());
    assert_eq!(read(&items(MAX_VALUES)), Err(YamlFault::TooManyValues));
    let long = "x".repeat(1024 * 1024);
    let mut deep = "a0: &a0 [x]\n".to_owned();
    for (line, before) in (1..100).zip(0..) {
        deep = format!("{deep}a{line}: &a{line} [*a{before}]\n");
    }
    assert_eq!(read(&deep), Err(YamlFault::TooDeep));
    let repeated = format!("a: &a {long}\nb: [{}]", "*a, ".repeat(16));
    assert_eq!(read(&repeated), Err(YamlFault::TooMuchText));
}

/// Each line names the one before nine times: nine to the power of nine values.
#[test]
fn aliases_of_aliases_end_at_the_bound() {
    let mut lines = vec!["a0: &a0 [lol]".to_owned()];
    for (line, before) in (1..10).zip(0..) {
        let before = format!("*a{before}, ").repeat(9);
        lines.push(format!("a{line}: &a{line} [{before}]"));
    }
    assert_eq!(read(&lines.join("\n")), Err(YamlFault::TooManyValues));
    lines.push(format!("b: [{}]", "x, ".repeat(50_000)));
    assert_eq!(read(&lines.join("\n")), Err(YamlFault::TooManyValues));
}
