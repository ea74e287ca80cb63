//! For any input, nothing panics, and what is accepted is a sound policy.

use n8n_idp_gate::config::{self, reference, yaml};
use proptest::prelude::*;
use serde_json::{json, Map, Number, Value};

use super::environment;

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Number::from),
        Just(Number::from_f64(30.5).unwrap())
    ];
    let word = prop_oneof![
        prop::sample::select(vec![
            "",
            "*",
            "n8n",
            "none",
            "RS256",
            "30s",
            "0s",
            "https://a.example",
            "any",
            "pass",
            "bearer",
            "/webhook/**",
            "workflow:read",
            "idp",
            "N8N_KEY_A",
            "\u{0}",
            "é",
        ])
        .prop_map(str::to_owned),
        ".*",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number.prop_map(Value::Number),
        word.prop_map(Value::String),
    ];
    let name = prop::sample::select(vec![
        "env", "any", "client", "provider", "keys", "ttl", "path", "auth", "name", "x",
    ]);
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
            members.prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// The pointer to every value of a document.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{here}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(member, &format!("{here}/{name}"), found);
            }
        }
        _ => {}
    }
}

fn example() -> Value {
    serde_json::from_slice(&yaml::to_json(reference::EXAMPLE).unwrap()).unwrap()
}

/// The example, or the same as one of two instances.
fn example_of(several: bool) -> Value {
    let mut whole = example();
    if several {
        let mut rest = whole.as_object_mut().unwrap().clone();
        let providers = rest.remove("providers").unwrap();
        let hosts = [json!(["n8n.example.com"]), json!(["*.example.com"])];
        let instances = hosts
            .into_iter()
            .zip(["prod", "test"])
            .map(|(hosts, name)| {
                let mut instance = rest.clone();
                instance.insert("name".to_owned(), json!(name));
                instance.insert("hosts".to_owned(), hosts);
                Value::Object(instance)
            });
        whole = json!({"providers": providers, "instances": instances.collect::<Vec<_>>()});
    }
    whole
}

#[test]
fn both_examples_are_accepted() {
    for several in [false, true] {
        let document = example_of(several).to_string();
        let loaded = config::load(document.as_bytes(), &environment()).unwrap();
        let instances = loaded.policy.instances.iter().count();
        assert_eq!(instances, if several { 2 } else { 1 });
    }
}

fn check(document: &Value) {
    let Ok(loaded) = config::load(document.to_string().as_bytes(), &environment()) else {
        return;
    };
    let policy = loaded.policy;
    assert!(!policy.providers.is_empty());
    for provider in &policy.providers {
        assert!(!provider.token.audiences.is_empty());
        assert!(!provider.token.audiences.contains(""));
        assert!(!provider.token.algorithms.is_empty());
        assert!(provider
            .admission
            .clients
            .as_ref()
            .is_none_or(|clients| !clients.is_empty()));
        for issuer in provider.token.issuers.iter() {
            assert!(policy.issuers.contains(issuer));
        }
    }
    for (issuer, owner) in policy.issuers.iter() {
        let owner = &policy.providers[owner.0];
        assert!(owner.token.issuers.contains(issuer));
    }
    for principal in policy
        .instances
        .iter()
        .flat_map(|instance| instance.principals.iter())
    {
        let mut keys = principal.upstream.static_keys().iter();
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(keys.all(|key| is_plain(key.key.expose())));
    }
}

proptest! {
    #[test]
    fn any_json_is_read_without_a_panic(document in value()) {
        check(&document);
    }

    #[test]
    fn a_good_configuration_with_one_thing_changed_is_a_sound_policy(
        pointer in any::<prop::sample::Index>(),
        several in any::<bool>(),
        value in value(),
    ) {
        let mut document = example_of(several);
        let mut found = Vec::new();
        pointers(&document, "", &mut found);
        *document.pointer_mut(pointer.get(&found).as_str()).unwrap() = value;
        check(&document);
    }

    #[test]
    fn a_good_configuration_with_one_thing_missing_is_a_sound_policy(
        pointer in any::<prop::sample::Index>(),
        several in any::<bool>(),
    ) {
        let mut document = example_of(several);
        let mut found = Vec::new();
        pointers(&document, "", &mut found);
        let (parent, name) = pointer.get(&found).rsplit_once('/').unwrap_or(("", ""));
        if let Some(Value::Object(members)) = document.pointer_mut(parent) {
            members.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        check(&document);
    }
}

#[test]
fn the_search_for_places_finds_all_of_them() {
    let mut found = Vec::new();
    pointers(&json!({ "a/b": [1, { "c": 2 }] }), "", &mut found);
    assert_eq!(found, ["", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/c"]);
}
