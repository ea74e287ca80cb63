//! For which audience a token is.

use super::*;

#[test]
fn one_of_several_audiences_is_enough() {
    for audience in [
        json!(["api://n8n-api"]),
        json!(["other", "https://n8n.example", "api://n8n-api"]),
    ] {
        assert_eq!(fault(&json!({}), &json!({ "aud": audience })), None);
    }
}

#[test]
fn a_token_for_another_audience_is_refused() {
    for audience in [
        json!("other"),
        json!("api://n8n-ap"),
        json!("api://n8n-api/"),
        json!("API://N8N-API"),
        json!(" "),
        json!(["other"]),
        json!(["", "other"]),
    ] {
        let expected = Some(TokenFault::WrongAudience);
        assert_eq!(fault(&json!({}), &json!({ "aud": audience })), expected);
    }
}

/// Spellings of `aud` that name no audience, with the absent one.
const NO_AUDIENCE: [&str; 6] = [
    "",
    r#""aud":[],"#,
    r#""aud":"","#,
    r#""aud":[""],"#,
    r#""aud":["",""],"#,
    r#""aud":null,"#,
];

/// A token with this `aud` and whatever else.
fn with_audience(audience: &str, change: &Value) -> String {
    let claims = with(claims(), &json!({"aud": null}));
    let claims = with(claims, change).to_string();
    let claims = claims.replacen('{', &format!("{{{audience}"), 1);
    let header = with(header(), &json!({"alg": "ES256"})).to_string();
    mint(KeyKind::P256).raw("ES256", header.as_bytes(), claims.as_bytes())
}

#[test]
fn an_aud_that_names_no_audience_is_missing() {
    for audience in NO_AUDIENCE {
        let compact = with_audience(audience, &json!({"client_id": "api://n8n-api"}));
        let found = verify_under(&rules(TypRule::AnyAccessToken), &compact).err();
        assert_eq!(found, Some(TokenFault::AudienceMissing), "{audience}");
    }
    for audience in [
        r#""aud":[null],"#,
        r#""aud":7,"#,
        r#""aud":{},"#,
        r#""aud":["",7],"#,
        r#""aud":false,"#,
    ] {
        let mut rules = rules(TypRule::AnyAccessToken);
        rules.audience_claim = Some("client_id");
        let compact = with_audience(audience, &json!({"client_id": "api://n8n-api"}));
        let found = verify_under(&rules, &compact).err();
        let expected = Some(TokenFault::ClaimOfWrongType("aud"));
        assert_eq!(found, expected, "{audience}");
    }
}

#[test]
fn another_claim_stands_for_aud_only_where_there_is_none() {
    let mut rules = rules(TypRule::AnyAccessToken);
    rules.audience_claim = Some("client_id");
    let ours = "api://n8n-api";
    for (change, expected) in [
        (json!({"aud": null, "client_id": ours}), None),
        (json!({"client_id": "else"}), None),
        (
            json!({"aud": "else", "client_id": ours}),
            Some(TokenFault::WrongAudience),
        ),
        (
            json!({"aud": ["", "else"], "client_id": ours}),
            Some(TokenFault::WrongAudience),
        ),
        (
            json!({"aud": null, "client_id": "else"}),
            Some(TokenFault::WrongAudience),
        ),
        (
            json!({"aud": null, "azp": ours}),
            Some(TokenFault::AudienceMissing),
        ),
        (
            json!({"aud": null, "client_id": [ours]}),
            Some(TokenFault::ClaimOfWrongType("client_id")),
        ),
    ] {
        let compact = mint(KeyKind::P256).sign(&header(), &with(claims(), &change));
        assert_eq!(verify_under(&rules, &compact).err(), expected, "{change}");
    }
    for audience in NO_AUDIENCE {
        for (client, expected) in [
            (ours, None),
            ("else", Some(TokenFault::WrongAudience)),
            ("", Some(TokenFault::WrongAudience)),
        ] {
            let compact = with_audience(audience, &json!({"client_id": client}));
            assert_eq!(verify_under(&rules, &compact).err(), expected, "{audience}");
        }
        let compact = with_audience(audience, &json!({"azp": ours}));
        let expected = Some(TokenFault::AudienceMissing);
        assert_eq!(verify_under(&rules, &compact).err(), expected, "{audience}");
    }
    let without = json!({"aud": null, "client_id": ours});
    assert_eq!(
        fault(&json!({}), &without),
        Some(TokenFault::AudienceMissing)
    );
}
