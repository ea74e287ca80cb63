//! Forms of the description, and what is inserted into them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may stop where its own numbers are wrong"
)]

use proptest::prelude::*;
use serde_json::{json, Value};

use super::{with_bearer, DescriptionForm};

/// What n8n 2.41.1 has, but for most of its operations.
const N8N: &str = "\
openapi: 3.0.0
info:
  title: n8n Public API
  description: |
    Text with names in it:
    security:
      - ApiKeyAuth: []
security:
  - ApiKeyAuth: []
  - BearerAuth: []
  - CookieAuth: []
paths:
  /workflows/{id}:
    parameters:
      - $ref: '#/components/parameters/id'
    get:
      summary: Read one
      responses:
        '200':
          description: OK
  /data-tables:
    get:
      responses:
        '200':
          description: OK
          content:
            application/json:
              example:
                security:
                  - ApiKeyAuth: []
      security:
        - ApiKeyAuth: []
    post:
      # Only with a key.
      security:
        - ApiKeyAuth: []
      responses: {}
components:
  schemas:
    security:
      type: object
  securitySchemes:
    ApiKeyAuth:
      type: apiKey
      in: header
      name: X-N8N-API-KEY
    BearerAuth:
      type: http
      scheme: bearer
      bearerFormat: JWT
    CookieAuth:
      type: apiKey
      in: cookie
      name: n8n-auth
x-enable-proxy: false
";

const URI: &str = "https://id.example.com/token";

fn endpoints() -> Vec<String> {
    vec![URI.to_owned()]
}

fn yaml(text: &str) -> Option<String> {
    with_bearer(DescriptionForm::Yaml, text, &endpoints())
}

fn page(text: &str) -> Option<String> {
    with_bearer(DescriptionForm::Page, text, &endpoints())
}

fn script(document: &str) -> String {
    format!("\nwindow.onload = function() {{\n  var options = {{\n  \"swaggerDoc\": {document},\n  \"customOptions\": {{ \"plugins\": [function x() {{ return '}}' }}] }}\n}};\n  url = options.swaggerUrl || url\n}}\n")
}

fn of_yaml(text: &str) -> Value {
    serde_norway::from_str(text).unwrap()
}

/// What the document says, with bearer tokens beside API keys.
fn expected(mut document: Value) -> Value {
    fn require(security: &mut Value) {
        let Some(list) = security.as_array_mut() else {
            return;
        };
        let at = list
            .iter()
            .position(|item| item.get("ApiKeyAuth").is_some());
        let has_bearer = list.iter().any(|item| item.get("BearerAuth").is_some());
        if let (Some(at), false) = (at, has_bearer) {
            list.insert(at + 1, json!({"BearerAuth": []}));
        }
    }
    if let Some(security) = document.get_mut("security") {
        require(security);
    }
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (_, path) in paths {
        for (name, operation) in path.as_object_mut().into_iter().flatten() {
            if let (true, Some(security)) =
                (super::edit::is_method(name), operation.get_mut("security"))
            {
                require(security);
            }
        }
    }
    let scheme = &mut document["components"]["securitySchemes"]["BearerAuth"];
    if scheme.is_null() {
        *scheme = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"});
    }
    if scheme.get("description").is_none() {
        scheme["description"] = json!(format!("An access token (JWT). Clients get one at: {URI}"));
    }
    if scheme.get("x-token-endpoints").is_none() {
        scheme["x-token-endpoints"] = json!([URI]);
    }
    document
}

/// Whether `longer` is `shorter` with more between its bytes.
fn only_adds(shorter: &str, longer: &str) -> bool {
    let mut rest = longer.bytes();
    shorter
        .bytes()
        .all(|byte| rest.any(|candidate| candidate == byte))
}

#[track_caller]
fn assert_edited(text: &str) {
    let edited = yaml(text).unwrap_or_else(|| panic!("it is not known:\n{text}"));
    assert!(only_adds(text, &edited), "{edited}");
    assert_eq!(of_yaml(&edited), expected(of_yaml(text)), "{edited}");
}

#[test]
fn operations_with_requirements_of_their_own_take_bearer_tokens_too() {
    assert_edited(N8N);
    let edited = with_bearer(DescriptionForm::Yaml, N8N, &[]).unwrap();
    let added = "        - ApiKeyAuth: []\n        - BearerAuth: []\n";
    assert_eq!(edited.matches(added).count(), 2, "{edited}");
    // The lines that were added are the only difference.
    assert_eq!(
        edited.replace("\n        - BearerAuth: []\n", "\n"),
        N8N,
        "{edited}"
    );
}

#[test]
fn a_description_without_the_scheme_gets_it() {
    let bearer =
        "    BearerAuth:\n      type: http\n      scheme: bearer\n      bearerFormat: JWT\n";
    let older = N8N.replace(bearer, "").replace("  - BearerAuth: []\n", "");
    assert_ne!(older, N8N);
    assert_edited(&older);
    // Without a token endpoint, too.
    let edited = with_bearer(DescriptionForm::Yaml, &older, &[]).unwrap();
    assert_eq!(
        of_yaml(&edited)["components"]["securitySchemes"]["BearerAuth"],
        json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    );
}

#[test]
fn other_ways_to_write_the_same_are_known() {
    let own = "        - ApiKeyAuth: []\n    post:";
    for (what, from, to) in [
        ("in brackets", own, "        [{ApiKeyAuth: []}]\n    post:"),
        (
            "an item in brackets",
            own,
            "        - { 'ApiKeyAuth': [] } # a key\n    post:",
        ),
        ("quoted", own, "        - \"ApiKeyAuth\": []\n    post:"),
        ("not indented", own, "      - ApiKeyAuth: []\n    post:"),
        (
            "with none beside it",
            own,
            "        - {}\n        - ApiKeyAuth: [ ]\n\n    post:",
        ),
        ("nothing is required", own, "        []\n    post:"),
        (
            "comments between",
            own,
            "# a\n        - ApiKeyAuth: []   # b\n # c\n    post:",
        ),
        ("a mark", "openapi: 3.0.0", "---\nopenapi: \"3.0.3\""),
        (
            "no global requirement",
            "security:\n  - ApiKeyAuth: []\n  - BearerAuth: []\n  - CookieAuth: []\n",
            "",
        ),
        (
            "a description",
            "      scheme: bearer\n",
            "      scheme: Bearer\n      description: n8n's own\n",
        ),
        (
            "the scheme quoted",
            "      type: http\n",
            "      type: 'http'\n",
        ),
    ] {
        let mut text = N8N.replace(from, to);
        assert_ne!(text, N8N, "{what}: nothing is replaced");
        // A value in brackets is on the line of its name.
        text = text.replace("security:\n        [", "security: [");
        assert_edited(&text);
    }
    assert_edited(&N8N.replace(
        "security:\n        - ApiKeyAuth: []\n    post",
        "security: [\n        { \"ApiKeyAuth\": [] },\n        {CookieAuth: []} ] # both\n    post",
    ));
}

#[test]
fn line_ends_stay() {
    let crlf = N8N.replace('\n', "\r\n");
    let edited = yaml(&crlf).unwrap();
    assert_eq!(edited.replace("\r\n", "\n"), yaml(N8N).unwrap());
    assert_eq!(edited.matches('\n').count(), edited.matches("\r\n").count());
    let (paths, rest) = N8N.split_once("components:").unwrap();
    let (head, paths) = paths.split_once("paths:").unwrap();
    // The last line is a requirement, and ends without a line end.
    let text = format!("{head}components:{rest}paths:{paths}");
    let text = text.replace("      responses: {}\n", "");
    assert!(text.ends_with("- ApiKeyAuth: []\n"), "{text}");
    assert_edited(&text);
    assert_edited(text.trim_end());
}

#[test]
fn what_is_not_written_as_n8n_writes_it_stays_as_it_is() {
    let own = "      security:\n        - ApiKeyAuth: []\n    post:";
    for (what, from, to) in [
        ("no description", N8N, "<html>a page</html>"),
        ("nothing", N8N, ""),
        ("another version", "openapi: 3.0.0", "swagger: \"2.0\""),
        ("an alias", own, "      security: *keys\n    post:"),
        ("an anchor", own, "      security: &keys\n        - ApiKeyAuth: []\n    post:"),
        ("two schemes together", own, "      security:\n        - ApiKeyAuth: []\n          CookieAuth: []\n    post:"),
        ("two schemes together in brackets", own, "      security: [{ApiKeyAuth: [], CookieAuth: []}]\n    post:"),
        ("brackets that stay open", own, "      security: [{ApiKeyAuth: []}\n    post:"),
        ("more behind the brackets", own, "      security: [{ApiKeyAuth: []}] x\n    post:"),
        ("an item over lines", own, "      security:\n        -\n          ApiKeyAuth: []\n    post:"),
        ("tabs", own, "      security:\n\t- ApiKeyAuth: []\n    post:"),
        ("a path elsewhere", "    parameters:\n", "    $ref: other.yml\n    parameters:\n"),
        ("an operation in brackets", "    get:\n      summary: Read one\n      responses:\n        '200':\n          description: OK\n", "    get: {security: [{ApiKeyAuth: []}], responses: {}}\n"),
        ("a merge", "      summary: Read one\n", "      <<: *other\n"),
        ("a name twice", "paths:", "paths:\npaths:"),
        ("several documents", "paths:", "---\npaths:"),
        ("another scheme of the name", "      scheme: bearer\n", "      scheme: basic\n"),
        ("no scheme for keys", "    ApiKeyAuth:\n", "    Key:\n"),
        ("schemes in brackets", "  securitySchemes:\n", "  securitySchemes: {}\n  others:\n"),
        ("an indentation that is none", "  /data-tables:\n", " /data-tables:\n"),
    ] {
        let text = N8N.replace(from, to);
        assert_ne!(text, N8N, "{what}");
        assert_eq!(yaml(&text), None, "{what}");
    }
    let none = N8N.replace("ApiKeyAuth: []", "CookieAuth: []");
    assert_eq!(yaml(&none), None, "nothing takes keys");
}

#[test]
fn the_page_for_people_has_the_same() {
    let document = of_yaml(N8N);
    let older = {
        let mut older = document.clone();
        let schemes = older["components"]["securitySchemes"].as_object_mut();
        schemes.unwrap().remove("BearerAuth");
        older["info"]["description"] = json!("a \"quoted\" } ] \\ text, \"security\": [é]");
        older
    };
    for document in [document, older] {
        for text in [document.to_string(), format!("{document:#}")] {
            let text = script(&text);
            let edited = page(&text).unwrap();
            assert!(only_adds(&text, &edited), "{edited}");
            let json = edited.split_once("\"swaggerDoc\": ").unwrap().1;
            let mut json = serde_json::Deserializer::from_str(json).into_iter::<Value>();
            let edited = json.next().unwrap().unwrap();
            assert_eq!(edited, expected(document.clone()));
        }
    }
}

#[test]
fn a_page_of_another_form_stays_as_it_is() {
    let document = of_yaml(N8N).to_string();
    let good = script(&document);
    assert!(page(&good).is_some());
    for (what, text) in [
        ("no script", document.clone()),
        ("cut", good.get(..good.len() / 2).unwrap().to_owned()),
        ("another name", good.replace("swaggerDoc", "swaggerUrl")),
        (
            "more before it",
            good.replace("\"swaggerDoc\"", "\"a\": 1, \"swaggerDoc\""),
        ),
        ("another scheme", good.replace("\"bearer\"", "\"basic\"")),
        (
            "an empty scheme",
            script(&{
                let mut document = of_yaml(N8N);
                document["components"]["securitySchemes"]["BearerAuth"] = json!({});
                document.to_string()
            }),
        ),
        (
            "a requirement of another form",
            good.replace("[{\"ApiKeyAuth\":[]}]", "[{\"ApiKeyAuth\":\"x\"}]"),
        ),
        ("no list", good.replace("[{\"ApiKeyAuth\":[]}]", "{}")),
    ] {
        assert_ne!(text, good, "{what}");
        assert_eq!(page(&text), None, "{what}");
    }
}

fn mutated() -> impl Strategy<Value = String> {
    let lines = N8N.lines().count();
    let pieces = prop::sample::select(vec![
        "- ApiKeyAuth: []",
        "security:",
        "security: []",
        " ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        "#",
        "\r",
        "'",
        "\"",
        "|",
        "paths:",
        "get:",
        "é",
        "- ",
        "&a ",
        "*a",
    ]);
    let change = (0..lines, 0_usize..8, 0_usize..60, pieces);
    prop::collection::vec(change, 0..6).prop_map(|changes| {
        let mut lines: Vec<String> = N8N.split_inclusive('\n').map(str::to_owned).collect();
        for (at, kind, place, piece) in changes {
            let at = at % lines.len();
            match kind {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => lines[at].insert(0, ' '),
                3 => lines[at] = lines[at].trim_start_matches(' ').to_owned(),
                4 => {
                    let other = (at + place) % lines.len();
                    lines.swap(at, other);
                }
                _ => {
                    let text = &mut lines[at];
                    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
                    text.insert_str(places.get(place).copied().unwrap_or(0), piece);
                }
            }
            if lines.is_empty() {
                lines.push("openapi: 3.0.0\n".to_owned());
            }
        }
        lines.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the document is: bytes are added and none is changed, and if it could be read before, it
    /// can be read afterwards and says what it said, with bearer tokens.
    #[test]
    fn an_edit_adds_and_breaks_nothing(text in mutated()) {
        if let Some(edited) = yaml(&text) {
            prop_assert!(only_adds(&text, &edited));
            if let Ok(before) = serde_norway::from_str::<Value>(&text) {
                let after = serde_norway::from_str::<Value>(&edited);
                prop_assert!(after.is_ok(), "{}\n{:?}", edited, after);
                prop_assert_eq!(after.unwrap(), expected(before), "{}", edited);
            }
        }
    }

    /// The same for pages that were cut or changed.
    #[test]
    fn an_edit_of_a_page_adds_and_breaks_nothing(
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",: a\\\\]{0,2}", 0_usize..3), 0..4),
    ) {
        let mut text: Vec<char> = script(&of_yaml(N8N).to_string()).chars().collect();
        for (at, piece, removed) in changes {
            let at = at.index(text.len());
            let end = at.saturating_add(removed).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        if let Some(edited) = page(&text) {
            prop_assert!(only_adds(&text, &edited));
            let document = |text: &str| {
                let json = text.split_once("\"swaggerDoc\"").unwrap().1.split_once(':').unwrap().1;
                let mut values = serde_json::Deserializer::from_str(json).into_iter::<Value>();
                values.next().and_then(Result::ok)
            };
            if let Some(before) = document(&text) {
                prop_assert!(document(&edited).is_some(), "{}", edited);
                drop(before);
            }
        }
    }
}
