//! The steps that the demo shows and that the test `e2e_n8n` asserts.
//!
//! A command is a line of shell, run as it is printed. Its variables are those of
//! [`Stage::variables`](crate::stage::Stage::variables), the tokens, and those that earlier steps
//! set.

use self::Check::{Audit, Body, Event, Header, Listed, NotListed};
use self::Wanted::{Absent, Has, Is};

/// A variable with an access token in it.
pub(crate) struct Token {
    /// The application that gets the token, and the token's property.
    pub(crate) title: &'static str,
    /// The variable.
    pub(crate) variable: &'static str,
    /// The command that sets it.
    pub(crate) command: &'static str,
}

/// One call, and all checks of its result.
pub(crate) struct Step {
    /// What happens, in one sentence.
    pub(crate) title: &'static str,
    /// The call.
    pub(crate) command: &'static str,
    /// The status of the response.
    pub(crate) status: u16,
    /// The other checks.
    pub(crate) checks: &'static [Check],
    /// A variable for later steps, and the JSON pointer of its value in the body of the response.
    pub(crate) leaves: Option<(&'static str, &'static str)>,
}

/// One check.
pub(crate) enum Check {
    /// A header of the response.
    Header(&'static str, Wanted),
    /// A value in the body of the response (a JSON pointer, RFC 6901).
    Body(&'static str, Wanted),
    /// An element of the list at this JSON pointer in the body has this `name`.
    Listed(&'static str, &'static str),
    /// A field of the gate's audit record.
    Audit(&'static str, Wanted),
    /// No element of that list does.
    NotListed(&'static str, &'static str),
    /// n8n's event log has this event about the workflow of `$WORKFLOW`, with the n8n user that the
    /// gate made for this application.
    Event(&'static str, &'static str),
}

/// The expected text.
pub(crate) enum Wanted {
    /// This text.
    Is(&'static str),
    /// A text that contains this.
    Has(&'static str),
    /// No text.
    Absent,
}

/// The tokens. The commands get them from the provider, as any application does.
///
/// The provider signs JWTs, so that only a token begins with `eyJ` in its response.
pub(crate) static TOKENS: [Token; 4] = [
    Token {
        title: "application A, which may read and write workflows",
        variable: "TOKEN_A",
        command: r#"TOKEN_A=$(curl -s $IDP/token -u app-a:$SECRET_A -d grant_type=client_credentials \
    -d resource=api://n8n-api -d 'scope=N8N.Workflow.Read N8N.Workflow.Write' | grep -o 'eyJ[^"]*')"#,
    },
    Token {
        title: "application B, which has no role for n8n",
        variable: "TOKEN_B",
        command: r#"TOKEN_B=$(curl -s $IDP/token -u app-b:$SECRET_B -d grant_type=client_credentials \
    -d resource=api://n8n-api | grep -o 'eyJ[^"]*')"#,
    },
    Token {
        title: "application A again, for another service than n8n",
        variable: "TOKEN_ELSEWHERE",
        command: r#"TOKEN_ELSEWHERE=$(curl -s $IDP/token -u app-a:$SECRET_A -d grant_type=client_credentials \
    -d resource=api://something-else | grep -o 'eyJ[^"]*')"#,
    },
    Token {
        title: "an application whose tokens are an hour old when it uses them",
        variable: "TOKEN_LATE",
        command: r#"TOKEN_LATE=$(curl -s $IDP/token -u app-late:$SECRET_LATE -d grant_type=client_credentials \
    -d resource=api://n8n-api -d scope=N8N.Workflow.Read | grep -o 'eyJ[^"]*')"#,
    },
];

/// The calls, in their order.
pub(crate) static STEPS: [Step; 10] = [
    Step {
        title: "Without a token, the refusal says what to send",
        command: "curl -si $GATE/api/v1/workflows",
        status: 401,
        checks: &[
            Header("www-authenticate", Has("Bearer realm=\"n8n\"")),
            Header(
                "www-authenticate",
                Has("/.well-known/oauth-protected-resource/api/v1"),
            ),
            Body("/reason", Is("no_credential")),
            Body("/message", Has("")),
            Audit("decision", Is("reject")),
            Audit("reason", Is("no_credential")),
            Audit("operation", Is("workflow:list")),
        ],
        leaves: None,
    },
    Step {
        title: "Application A has the role: the gate makes a user and an API key for it, and n8n responds",
        command: r#"curl -si $GATE/api/v1/workflows -H "Authorization: Bearer $TOKEN_A""#,
        status: 200,
        checks: &[
            Header("content-type", Has("application/json")),
            NotListed("/data", "Orders"),
            Audit("decision", Is("forward")),
            Audit("client", Is("app-a")),
            Audit("principal", Is("applications")),
            Audit("operation", Is("workflow:list")),
            Audit("provider", Is("demo")),
        ],
        leaves: None,
    },
    Step {
        title: "Application B makes the same call without the role; the refusal names the missing operation",
        command: r#"curl -si $GATE/api/v1/workflows -H "Authorization: Bearer $TOKEN_B""#,
        status: 403,
        checks: &[
            Header("www-authenticate", Has("error=\"insufficient_scope\"")),
            Body("/reason", Is("insufficient_scope")),
            Body("/message", Has("workflow:list")),
            Audit("decision", Is("reject")),
            Audit("reason", Is("insufficient_scope")),
            Audit("missing", Is("workflow:list")),
            Audit("client", Is("app-b")),
        ],
        leaves: None,
    },
    Step {
        title: "A token for another audience is refused",
        command: r#"curl -si $GATE/api/v1/workflows -H "Authorization: Bearer $TOKEN_ELSEWHERE""#,
        status: 401,
        checks: &[
            Header("www-authenticate", Has("error=\"invalid_token\"")),
            Body("/reason", Is("wrong_audience")),
            Body("/message", Has("")),
            Audit("decision", Is("reject")),
            Audit("reason", Is("wrong_audience")),
        ],
        leaves: None,
    },
    Step {
        title: "An expired token is refused",
        command: r#"curl -si $GATE/api/v1/workflows -H "Authorization: Bearer $TOKEN_LATE""#,
        status: 401,
        checks: &[
            Header("www-authenticate", Has("error=\"invalid_token\"")),
            Body("/reason", Is("expired")),
            Body("/message", Has("")),
            Audit("decision", Is("reject")),
            Audit("reason", Is("expired")),
        ],
        leaves: None,
    },
    Step {
        title: "A call with the owner's own API key works as before, and sees the owner's workflows",
        command: r#"curl -si $GATE/api/v1/workflows -H "X-N8N-API-KEY: $API_KEY""#,
        status: 200,
        checks: &[
            Header("content-type", Has("application/json")),
            Listed("/data", "Orders"),
            Listed("/data", "Open to all"),
            Audit("decision", Is("pass")),
            Audit("client", Absent),
        ],
        leaves: None,
    },
    Step {
        title: "A webhook gets the verified caller, no made-up identity, and no credential",
        command: r#"curl -si $GATE/webhook/orders/new -H "Authorization: Bearer $TOKEN_A" \
    -H 'X-Auth-Client: the-boss' -H 'Content-Type: application/json' -d '{"order": 1}'"#,
        status: 200,
        checks: &[
            Header("content-type", Has("application/json")),
            Body("/body/order", Is("1")),
            Body("/headers/x-auth-client", Is("app-a")),
            Body("/headers/authorization", Absent),
            Body("/headers/x-n8n-api-key", Absent),
            Audit("decision", Is("forward")),
            Audit("surface", Is("webhook")),
            Audit("client", Is("app-a")),
        ],
        leaves: None,
    },
    Step {
        title: "Application A creates a workflow, and n8n's event log names the user that the gate made",
        command: r#"curl -si $GATE/api/v1/workflows -H "Authorization: Bearer $TOKEN_A" \
    -H 'Content-Type: application/json' \
    -d '{"name": "Written by A", "nodes": [], "connections": {}, "settings": {}}'"#,
        status: 200,
        checks: &[
            Header("content-type", Has("application/json")),
            Body("/name", Is("Written by A")),
            Audit("decision", Is("forward")),
            Audit("operation", Is("workflow:create")),
            Audit("client", Is("app-a")),
            Event("n8n.audit.workflow.created", "app-a"),
        ],
        leaves: Some(("WORKFLOW", "/id")),
    },
    Step {
        title: "Application A sees what is its own",
        command: r#"curl -si $GATE/api/v1/workflows -H "Authorization: Bearer $TOKEN_A""#,
        status: 200,
        checks: &[
            Header("content-type", Has("application/json")),
            Listed("/data", "Written by A"),
            NotListed("/data", "Orders"),
            Audit("decision", Is("forward")),
            Audit("operation", Is("workflow:list")),
        ],
        leaves: None,
    },
    Step {
        title: "Application A deletes the workflow",
        command: r#"curl -si -X DELETE $GATE/api/v1/workflows/$WORKFLOW -H "Authorization: Bearer $TOKEN_A""#,
        status: 200,
        checks: &[
            Header("content-type", Has("application/json")),
            Body("/name", Is("Written by A")),
            Audit("decision", Is("forward")),
            Audit("operation", Is("workflow:delete")),
            Event("n8n.audit.workflow.deleted", "app-a"),
        ],
        leaves: None,
    },
];
