//! What is accepted with a warning.

use n8n_idp_gate::config::Diagnostic;

use super::load;

#[test]
fn a_provider_that_no_rule_names_is_warned_of() {
    let loaded = load(
        "providers:\n\
         - { name: used, issuer: 'https://a.example', audiences: n8n, cluster: a }\n\
         - { name: idle, issuer: 'https://b.example', audiences: n8n, cluster: b }\n\
         webhooks: [{ path: /webhook/**, require: { provider: used } }]\n",
    );
    let warning = Diagnostic {
        path: "providers[1]".to_owned(),
        problem: "no principal and no webhook takes its tokens".to_owned(),
        hint: "name it in a match or require, or remove it".to_owned(),
    };
    assert_eq!(loaded.unwrap().warnings, [warning]);
}

#[test]
fn a_provider_with_tokens_for_every_person_is_warned_of() {
    const GITHUB: &str = "https://token.actions.githubusercontent.com";
    for (members, is_open) in [
        ("type: google, typ: id_token".to_owned(), true),
        ("type: google, typ: id_token, clients: x".to_owned(), false),
        ("type: github_actions".to_owned(), true),
        (format!("type: github_actions, issuer: '{GITHUB}'"), true),
        (
            format!("type: github_actions, issuer: '{GITHUB}/example'"),
            false,
        ),
        (
            "type: github_actions, tenants: example-org".to_owned(),
            false,
        ),
    ] {
        let loaded = load(&format!(
            "providers: [{{ name: a, {members}, audiences: n8n, cluster: a }}]\n\
             webhooks: [{{ path: /webhook/**, auth: bearer }}]\n"
        ));
        let warning = Diagnostic {
            path: "providers[0].type".to_owned(),
            problem: "gives every person in the world a token for any audience".to_owned(),
            hint: "add clients, tenants, allowed_domains or claims".to_owned(),
        };
        let expected = if is_open { vec![warning] } else { Vec::new() };
        assert_eq!(loaded.unwrap().warnings, expected, "{members}");
    }
}

#[test]
fn a_domain_in_which_any_person_can_get_an_address_is_warned_of() {
    let loaded = load(
        "providers:\n\
         - name: google\n  \
           type: google\n  \
           typ: id_token\n  \
           audiences: n8n\n  \
           cluster: a\n  \
           allowed_domains: [example.com, Developer.gserviceaccount.com]\n\
         principals:\n\
         - { name: a, match: { email_domain: gmail.com }, api_key: { env: N8N_KEY_A }, grant: '*' }\n",
    );
    let warning = |path: &str, domain: &str| Diagnostic {
        path: path.to_owned(),
        problem: format!("matches every person who gets an address at {domain}"),
        hint: "list the addresses that you mean, as `email` of a principal".to_owned(),
    };
    let domains = "providers[0].allowed_domains";
    let expected = [
        warning("principals[0].match.email_domain", "gmail.com"),
        warning(domains, "developer.gserviceaccount.com"),
    ];
    assert_eq!(loaded.unwrap().warnings, expected);
}

#[test]
fn an_n8n_that_no_principal_needs_is_warned_of() {
    let loaded = |upstream: &str| {
        let loaded = load(&format!(
            "providers: [{{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }}]\n\
             n8n: {{ cluster: n8n, api_key: {{ env: N8N_KEY_A }}, seed: {{ env: N8N_SEED }} }}\n\
             principals: [{{ name: p, match: {{ client: p }}, grant: '*', {upstream} }}]\n"
        ));
        loaded.unwrap_or_else(|errors| panic!("{errors}")).warnings
    };
    let warning = Diagnostic {
        path: "n8n".to_owned(),
        problem: "has no effect: no principal has a user".to_owned(),
        hint: "give a principal user instead of api_key, or remove it".to_owned(),
    };
    assert_eq!(loaded("api_key: { env: N8N_KEY_B }"), [warning]);
    for user in [
        "per: client",
        "per: subject",
        "per: tenant",
        "email: P@Example.com",
    ] {
        assert_eq!(loaded(&format!("user: {{ {user} }}")), []);
    }
}

#[test]
fn a_key_that_two_principals_have_is_warned_of_in_a_list_too() {
    let loaded = load(
        "providers: [{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }]\n\
         principals:\n\
         - { name: p, match: { client: p }, grant: '*', api_key: { env: N8N_KEY_A } }\n\
         - { name: q, match: { client: q }, grant: '*', api_keys: [{ env: N8N_KEY_B }, { env: N8N_KEY_A }] }\n",
    );
    let warning = Diagnostic {
        path: "principals[1].api_keys[1]".to_owned(),
        problem: "is also the key at principals[0].api_key".to_owned(),
        hint: "give each an API key of its own: n8n sees one user for both".to_owned(),
    };
    assert_eq!(loaded.unwrap().warnings, [warning]);
}

/// Two instances may be two views of one n8n, whose users have one password.
#[test]
fn one_seed_for_one_n8n_and_two_seeds_for_two_are_accepted() {
    let instance = |name: &str, cluster: &str, seed: &str| {
        format!(
            "- name: {name}\n  hosts: {name}.example.com\n  \
               n8n: {{ cluster: {cluster}, api_key: {{ env: N8N_KEY_A }}, seed: {{ env: {seed} }} }}\n  \
               principals: [{{ name: p, match: {{ client: p }}, grant: '*', user: {{ per: client }} }}]\n"
        )
    };
    for (cluster, seed) in [("n8n", "N8N_SEED"), ("other", "N8N_SEED_OTHER")] {
        let first = instance("prod", "n8n", "N8N_SEED");
        let second = instance("test", cluster, seed);
        let loaded = load(&format!(
            "providers: [{{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }}]\n\
             instances:\n{first}{second}"
        ));
        let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(loaded.policy.instances.iter().count(), 2);
    }
}

/// Warnings of a configuration with one provider, which has these members beside the usual ones, and
/// one principal of `rule`.
fn warnings(members: &str, rule: &str) -> Vec<(String, String)> {
    let loaded = load(&format!(
        "providers: [{{ name: a, audiences: [n8n], cluster: a, {members} }}]\n\
         principals: [{{ name: p, match: {rule}, grant: '*', api_key: {{ env: N8N_KEY_A }} }}]\n"
    ));
    let warnings = loaded.unwrap_or_else(|errors| panic!("{members}: {errors}"));
    let warnings = warnings.warnings.into_iter();
    warnings
        .map(|warning| (warning.path, warning.problem))
        .collect()
}

#[test]
fn a_rule_for_a_kind_that_tokens_need_not_name_is_warned_of() {
    const OIDC: &str = "issuer: 'https://a.example'";
    for (members, apps, people) in [
        (OIDC.to_owned(), true, false),
        (
            format!("{OIDC}, kind: {{ user: [{{ claim: who, equals: human }}] }}"),
            true,
            true,
        ),
        (format!("{OIDC}, kind: {{ app: [{{ claim: a, exists: true }}] }}"), true, false),
        ("type: entra, tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47".to_owned(), true, true),
        ("type: okta, domain: example.okta.com".to_owned(), true, true),
        ("type: auth0, domain: example.eu.auth0.com".to_owned(), true, true),
        ("type: keycloak, domain: sso.example.com, realm: main".to_owned(), true, true),
        ("type: google, typ: id_token, tenants: example.com".to_owned(), true, true),
        ("type: ping, tenant: e".to_owned(), true, true),
        (format!("type: ping, {OIDC}"), true, false),
        ("type: workos, domain: a.authkit.app".to_owned(), true, true),
        (format!("type: kubernetes, {OIDC}"), true, false),
        ("type: github_actions, tenants: o".to_owned(), true, false),
        ("type: authentik, domain: sso.example.com, realm: n8n".to_owned(), false, false),
        (
            "type: authentik, domain: sso.example.com, realm: n8n, kind: { app: [{ claim: a, exists: true }], user: [{ claim: u, exists: true }] }".to_owned(),
            true,
            true,
        ),
    ] {
        for (kind, who, tells) in [("app", "an application", apps), ("user", "a person", people)] {
            let expected = [(
                "principals[0].match.kind".to_owned(),
                format!("not every token of a says that {who} calls, and those without do not match"),
            )];
            let expected = if tells { &[][..] } else { &expected };
            let rule = format!("{{ kind: {kind} }}");
            assert_eq!(warnings(&members, &rule), expected, "{members} {kind}");
        }
    }
    let other = "providers:\n\
         - { name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }\n\
         - { name: b, type: okta, domain: example.okta.com, audiences: n8n, cluster: b }\n\
         webhooks:\n\
         - { path: /webhook/a/**, require: { provider: b, kind: user } }\n\
         - { path: /webhook/**, require: { kind: user } }\n";
    let paths: Vec<_> = load(other)
        .unwrap()
        .warnings
        .into_iter()
        .map(|warning| warning.path)
        .collect();
    assert_eq!(paths, ["webhooks[1].require.kind"]);
}

#[test]
fn a_client_whose_id_tokens_have_an_audience_is_warned_of() {
    const OIDC: &str = "issuer: 'https://a.example'";
    let expected = |path: &str| {
        let problem = "names a client that is also an audience of a: its ID tokens may be taken for access tokens";
        vec![(path.to_owned(), problem.to_owned())]
    };
    let in_rule = expected("principals[0].match.client");
    let listed = expected("providers[0].clients");
    let asked = "introspection: { uri: 'https://a.example/i', cluster: a, client_id: g, client_secret: { env: N8N_KEY_A } }";
    for (members, rule, expected) in [
        (OIDC.to_owned(), "{ client: n8n }", in_rule.clone()),
        (OIDC.to_owned(), "{ client: [x, n8n] }", in_rule),
        (OIDC.to_owned(), "{ client: x }", Vec::new()),
        (
            format!("{OIDC}, typ: at+jwt"),
            "{ client: n8n }",
            Vec::new(),
        ),
        (
            format!("{OIDC}, typ: id_token"),
            "{ client: n8n }",
            Vec::new(),
        ),
        (
            format!("{OIDC}, clients: [x, n8n]"),
            "{ any: true }",
            listed,
        ),
        (format!("{OIDC}, clients: x"), "{ any: true }", Vec::new()),
        (
            "type: keycloak, domain: sso.example.com, realm: m".to_owned(),
            "{ client: n8n }",
            Vec::new(),
        ),
        (
            "type: okta, domain: example.okta.com".to_owned(),
            "{ client: n8n }",
            Vec::new(),
        ),
    ] {
        assert_eq!(warnings(&members, rule), expected, "{members} {rule}");
    }
    // JWTs are not taken there at all.
    let loaded = load(&format!(
        "providers: [{{ name: a, {OIDC}, audiences: n8n, {asked} }}]\n\
         principals: [{{ name: p, match: {{ client: n8n }}, grant: '*', api_key: {{ env: N8N_KEY_A }} }}]\n"
    ));
    assert_eq!(loaded.unwrap().warnings, []);
}

#[test]
fn a_name_that_may_be_a_role_or_a_scope_is_warned_of() {
    let of = |members: &str, rest: &str| {
        let loaded = load(&format!(
            "providers: [{{ name: a, audiences: n8n, {members} }}]\n{rest}\n"
        ));
        let warnings = loaded
            .unwrap_or_else(|errors| panic!("{members}: {errors}"))
            .warnings;
        warnings
            .into_iter()
            .map(|warning| warning.path)
            .collect::<Vec<_>>()
    };
    let oidc = "issuer: 'https://a.example', cluster: a";
    let roles = "roles: { reader: ['workflow:read'] }\n\
         principals: [{ name: p, match: { provider: a }, api_key: { env: N8N_KEY_A } }]";
    let grant = "principals: [{ name: p, match: { provider: a }, grant: '*', api_key: { env: N8N_KEY_A } }]";
    let expected = ["providers[0].roles_from"];
    assert_eq!(of(oidc, roles), expected);
    for word in ["roles", "scopes", "both"] {
        assert_eq!(of(&format!("{oidc}, roles_from: {word}"), roles), [""; 0]);
    }
    assert_eq!(of(oidc, grant), [""; 0]);
    assert_eq!(
        of("type: github_actions, tenants: o, cluster: a", roles),
        [""; 0]
    );
    let userinfo = "issuer: 'https://a.example', userinfo: { uri: 'https://a.example/me', cluster: a, accept_any_audience: true }";
    assert_eq!(
        of(userinfo, roles),
        [""; 0],
        "a userinfo response has no scopes"
    );
}

#[test]
fn a_key_that_two_instances_share_is_warned_of() {
    let loaded = load(
        "providers: [{ name: idp, issuer: 'https://a.example', audiences: n8n, cluster: a }]\n\
         instances:\n\
         - name: prod\n  \
           hosts: n8n.example.com\n  \
           principals: [{ name: a, match: { any: true }, grant: '*', api_key: { env: N8N_KEY_A } }]\n\
         - name: test\n  \
           hosts: '*.example.com'\n  \
           principals: [{ name: a, match: { any: true }, grant: '*', api_key: { env: N8N_KEY_A } }]\n",
    );
    let warning = Diagnostic {
        path: "instances[1].principals[0].api_key".to_owned(),
        problem: "is also the key at instances[0].principals[0].api_key".to_owned(),
        hint: "give each an API key of its own: n8n sees one user for both".to_owned(),
    };
    assert_eq!(loaded.unwrap().warnings, [warning]);
}

#[test]
fn a_principal_that_may_do_nothing_is_warned_of() {
    let loaded = load(
        "providers: [{ name: Idp, issuer: 'https://a.example', audiences: n8n, cluster: a }]\n\
         principals: [{ name: idle, match: { client: c }, api_key: { env: N8N_KEY_A } }]\n",
    );
    let warning = Diagnostic {
        path: "principals[0]".to_owned(),
        problem: "allows nothing on the public API: there are no roles, and it has no grant"
            .to_owned(),
        hint: "add grant: [workflow:read], or roles beside principals".to_owned(),
    };
    assert_eq!(loaded.unwrap().warnings, [warning]);
}

/// What of `rest` has no effect would surprise an operator who wrote it.
#[test]
fn an_internal_api_that_no_caller_can_use_is_warned_of() {
    const NOT_GRANTED: &str = "opens nothing: no role and no principal grants rest";
    const NO_USER: &str =
        "opens nothing: no principal with that grant has a user, and an API key has no session";
    const PASSES: &str = "is off, but a role or a principal grants rest: that has no effect";
    let n8n = "n8n: { cluster: n8n, api_key: { env: N8N_KEY_B }, seed: { env: N8N_SEED } }";
    let user = format!("user: {{ per: client }} }}]\n{n8n}");
    let key = "api_key: { env: N8N_KEY_A } }]";
    for (rest, grant, upstream, expected) in [
        ("bearer", "[rest]", &*user, None),
        ("bearer", "[workflow:list]", &*user, Some(NOT_GRANTED)),
        ("bearer", "'*'", &*user, Some(NOT_GRANTED)),
        ("bearer", "[rest]", key, Some(NO_USER)),
        ("pass", "[workflow:list]", &*user, None),
        ("pass", "[rest]", &*user, Some(PASSES)),
    ] {
        let loaded = load(&format!(
            "providers: [{{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }}]\n\
             rest: {rest}\n\
             principals: [{{ name: p, match: {{ any: true }}, grant: {grant}, {upstream}\n"
        ));
        let warnings = loaded.unwrap().warnings.into_iter();
        let warnings: Vec<_> = warnings.map(|one| (one.path, one.problem)).collect();
        let expected = expected.map(|problem| ("rest".to_owned(), problem.to_owned()));
        assert_eq!(warnings, Vec::from_iter(expected), "{rest} {grant}");
    }
    // A role may grant it, too.
    let loaded = load(&format!(
        "providers: [{{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a, roles_from: roles }}]\n\
         rest: bearer\n\
         roles: {{ Internal: [rest] }}\n\
         principals: [{{ name: p, match: {{ any: true }}, {user}\n"
    ));
    assert_eq!(loaded.unwrap().warnings, []);
}

/// Some senders sign so, and a rule can be made narrow.
#[test]
fn a_body_right_behind_the_url_is_warned_of() {
    for (signed, expected) in [("{url}{body}", true), ("{url}.{body}", false)] {
        let loaded = load(&format!(
            "providers: [{{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }}]\n\
             webhooks:\n\
             - {{ path: /webhook/a/**, auth: bearer }}\n\
             - path: /webhook/b/**\n  \
               auth: signature\n  \
               signature: {{ sender: hmac, header: x-signature, public_url: 'https://n8n.example', \
               signed: '{signed}', secrets: [{{ env: WHSEC_SECRET }}] }}\n"
        ));
        let warnings = loaded.unwrap().warnings;
        let paths: Vec<_> = warnings.iter().map(|warning| &*warning.path).collect();
        let expected: &[&str] = if expected {
            &["webhooks[1].signature.signed"]
        } else {
            &[]
        };
        assert_eq!(paths, expected, "{signed}");
    }
}

#[test]
fn workers_that_cannot_tell_each_other_of_deliveries_are_warned_of() {
    for (secret, sharing, expected) in [
        ("WHSEC_PUBLIC", "", true),
        ("WHSEC_PUBLIC", "sharing_secret: { env: N8N_SEED }\n", false),
        ("WHSEC_SECRET", "", false),
    ] {
        let loaded = load(&format!(
            "providers: [{{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }}]\n\
             webhooks:\n\
             - {{ path: /webhook/a/**, auth: bearer }}\n\
             - path: /webhook/b/**\n  \
               auth: signature\n  \
               signature: {{ sender: standard_webhooks, secrets: [{{ env: {secret} }}] }}\n\
             {sharing}"
        ));
        let warnings = loaded.unwrap().warnings;
        let paths: Vec<_> = warnings.iter().map(|warning| &*warning.path).collect();
        let expected: &[&str] = if expected { &["sharing_secret"] } else { &[] };
        assert_eq!(paths, expected, "{secret} {sharing}");
    }
}

#[test]
fn a_switch_for_keys_that_never_pass_is_warned_of() {
    let load = |public_api: &str| {
        load(&format!(
            "providers: [{{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }}]\n\
             webhooks: [{{ path: /webhook/**, auth: bearer }}]\n\
             public_api: {{ {public_api}, api_keys_in_bearer: true }}\n"
        ))
        .unwrap()
        .warnings
    };
    let warning = Diagnostic {
        path: "public_api.api_keys_in_bearer".to_owned(),
        problem: "has no effect: no API key passes".to_owned(),
        hint: "remove it, or let some pass with api_keys or rules".to_owned(),
    };
    assert_eq!(load("api_keys: refuse"), [warning]);
    assert_eq!(load("api_keys: pass"), []);
    let some = "api_keys: refuse, rules: [{ path: /api/v1/tags/**, api_keys: pass }]";
    assert_eq!(load(some), []);
}

#[test]
fn log_ins_of_browsers_that_no_caller_can_begin_are_warned_of() {
    let n8n = "n8n: { cluster: n8n, api_key: { env: N8N_KEY_B }, seed: { env: N8N_SEED } }";
    let embed = "embed: { origins: 'https://portal.example' }";
    for (embed, grant, expected) in [
        (embed, "[embed]", None),
        (
            embed,
            "[rest]",
            Some("opens nothing: no role and no principal grants embed"),
        ),
        (
            "",
            "[embed]",
            Some("is off, but a role or a principal grants embed: that has no effect"),
        ),
    ] {
        let loaded = load(&format!(
            "providers: [{{ name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }}]\n\
             {embed}\n\
             {n8n}\n\
             principals: [{{ name: p, match: {{ any: true }}, grant: {grant}, user: {{ per: client }} }}]\n"
        ));
        let warnings = loaded.unwrap().warnings.into_iter();
        let warnings = warnings.filter(|one| one.path == "embed");
        let warnings: Vec<_> = warnings.map(|one| one.problem).collect();
        let expected = expected.map(str::to_owned);
        assert_eq!(warnings, Vec::from_iter(expected), "{embed} {grant}");
    }
}
