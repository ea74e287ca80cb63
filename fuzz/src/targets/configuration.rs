//! Loads a configuration in every form: JSON as Istio hands it over, the serialised
//! `google.protobuf.Struct` of Envoy, and YAML as the command-line program reads it.
//!
//! The first byte chooses: `y` for YAML, `b` for bytes as they are, any other for JSON that is
//! turned into a Struct as well.

use n8n_idp_gate::config::{self, yaml, Loaded};
use serde_json::{Map, Value};

use crate::world::{TheEnvironment, SECRET};

/// The target.
pub fn run(input: &[u8]) {
    let Some((form, text)) = input.split_first() else {
        return;
    };
    match form {
        b'y' => of_yaml(text),
        b'b' => {
            let _ = load(text);
        }
        _ => of_json(text),
    }
}

/// What a configuration means, or everything that is wrong with it.
fn load(text: &[u8]) -> Result<Loaded, String> {
    let result = config::load(text, &TheEnvironment);
    let shown = format!("{result:?}");
    assert!(!shown.contains(SECRET), "a secret is shown: {shown}");
    match result {
        Ok(loaded) => {
            let keys = loaded.policy.instances.principals();
            assert!(
                !loaded.policy.providers.is_empty() || keys == 0,
                "principals of no provider"
            );
            Ok(loaded)
        }
        Err(errors) => {
            let message = errors.to_string();
            assert!(!message.is_empty(), "refused for no reason");
            assert!(!message.contains(SECRET), "a secret is shown: {message}");
            let is_odd = |letter: char| letter.is_control() && letter != '\n';
            assert!(
                !message.contains(is_odd),
                "a message with control characters: {message:?}"
            );
            Err(message)
        }
    }
}

fn of_yaml(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let Ok(json) = yaml::to_json(text) else {
        return;
    };
    let value: Value = serde_json::from_slice(&json).expect("the JSON of YAML is JSON");
    if let Value::Object(members) = &value {
        same(&json, members);
    }
    // JSON is YAML: what both readers take is the same.
    if let Ok(plain) = serde_json::from_str::<Value>(text) {
        assert!(alike(&plain, &value), "{plain} became {value}");
    }
}

/// Whether two documents are the same but for the form of numbers.
fn alike(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| alike(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, value)| right.get(name).is_some_and(|other| alike(value, other)))
        }
        _ => left == right,
    }
}

fn of_json(text: &[u8]) {
    if load(text).is_ok() {
        let value: Value = serde_json::from_slice(text).expect("what is loaded is JSON");
        assert!(value.is_object(), "no map is loaded: {value}");
    }
    // Of two members of one name serde_json keeps one. The document that it wrote anew has none.
    let value = serde_json::from_slice::<Value>(text);
    if let Ok(Value::Object(members)) = value {
        let json = Value::Object(members.clone()).to_string();
        same(json.as_bytes(), &members);
    }
}

/// The JSON and the Struct of one document mean the same.
fn same(json: &[u8], members: &Map<String, Value>) {
    let of_json = load(json);
    if is_exact(members.values()) && !members.is_empty() {
        let of_struct = load(&encoded_struct(members));
        assert_eq!(
            format!("{of_json:?}"),
            format!("{of_struct:?}"),
            "{}",
            String::from_utf8_lossy(json)
        );
    }
}

/// Whether a Struct, in which every number is a double, can hold these values as they are.
fn is_exact<'v>(mut values: impl Iterator<Item = &'v Value>) -> bool {
    values.all(|value| match value {
        Value::Number(number) => number
            .as_i64()
            .is_some_and(|number| number.unsigned_abs() < 1 << 53),
        Value::Array(items) => is_exact(items.iter()),
        Value::Object(members) => is_exact(members.values()),
        _ => true,
    })
}

fn encoded_struct(members: &Map<String, Value>) -> Vec<u8> {
    let mut message = Vec::new();
    for (name, value) in members {
        let mut entry = Vec::new();
        put(&mut entry, 1, name.as_bytes());
        put(&mut entry, 2, &encoded_value(value));
        put(&mut message, 1, &entry);
    }
    message
}

fn encoded_value(value: &Value) -> Vec<u8> {
    let mut message = Vec::new();
    match value {
        Value::Null => message.extend([1 << 3, 0]),
        Value::Number(number) => {
            message.push(2 << 3 | 1);
            message.extend(number.as_f64().unwrap_or_default().to_le_bytes());
        }
        Value::String(text) => put(&mut message, 3, text.as_bytes()),
        Value::Bool(flag) => message.extend([4 << 3, u8::from(*flag)]),
        Value::Object(members) => put(&mut message, 5, &encoded_struct(members)),
        Value::Array(items) => {
            let mut list = Vec::new();
            for item in items {
                put(&mut list, 1, &encoded_value(item));
            }
            put(&mut message, 6, &list);
        }
    }
    message
}

/// A field of bytes (wire type 2).
fn put(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    let mut length = bytes.len();
    while length >= 0x80 {
        message.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(bytes);
}
