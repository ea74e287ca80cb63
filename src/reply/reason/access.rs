//! Refusals because this caller, or every caller, may not do this.

macro_rules! access {
    ($go_on:ident { $($rows:tt)* } $($rest:tt)*) => {
        $go_on! { {
            $($rows)*

            /// A rule asks for groups, and the token does not hold all groups of the caller.
            GroupsLeftOut => {
                status: 403,
                challenge: INSUFFICIENT_SCOPE,
                code: "groups_left_out",
                detail: "The access token does not hold all groups of the caller, and groups decide here.",
                meaning: "a rule asks for groups, and the caller is in more than the token holds (the overage of Entra): assign groups to the application, or use app roles",
                remedy: "assign groups to the application at the provider, or use app roles",
            }
            /// No principal matches the caller.
            NoPrincipal => {
                status: 403,
                challenge: INSUFFICIENT_SCOPE,
                code: "no_principal",
                detail: "The token is valid, but this caller is not set up for n8n here.",
                meaning: "no principal's `match` holds for the caller",
                remedy: "compare `client`, `kind` and `sub` of the audit with `match` of the principals",
            }
            /// The token does not name for which user of n8n its caller acts.
            NoUser => {
                status: 403,
                challenge: INSUFFICIENT_SCOPE,
                code: "no_user",
                detail: "The token does not name what this caller's user in n8n is made for.",
                meaning: "`user.per` of the principal names a client, subject, group or tenant, and the token has none",
                remedy: "have the provider put it into its tokens, or write another `per`, or `email`",
            }
            /// A principal with an API key has no session.
            NoSession => {
                status: 403,
                challenge: Challenge::None,
                code: "no_session",
                detail: "This caller has no session of n8n, which its internal API needs. Use the public API.",
                meaning: "the principal grants `rest` and has an `api_key`; only the user of a principal with `user` has a session",
                remedy: "give the principal `user` in place of `api_key`, or remove `rest` from its roles and `grant`",
            }
            /// A route of the internal API that is closed to callers with a token.
            RestClosed(Closed) => {
                status: 403,
                challenge: Challenge::None,
                code: "rest_closed",
                detail: "This route of n8n's internal API cannot be used with an access token.",
                meaning: "a [route](internal-api.md) of the internal API that is closed to tokens; `fault` in the audit says why",
                remedy: "use the public API; a person opens the editor with a log-in of its own",
                example: Self::RestClosed(Closed::Session),
            }
            /// The operation needs scopes that the caller does not have.
            InsufficientScope {
                /// The n8n scopes that are missing.
                missing: Vec<&'static str>,
                /// The OAuth scopes that the client can ask its provider for to get them; none where
                /// that is not known.
                ask_for: Vec<String>,
            } => {
                status: 403,
                challenge: INSUFFICIENT_SCOPE,
                code: "insufficient_scope",
                detail: "The caller has no role or scope that allows this operation.",
                meaning: "roles, scopes and principal do not grant the operation; `missing` in the audit says what",
                remedy: "give the caller a role that grants what `missing` says (see [operations](operations.md)), or look whether `allow` removes it; without `missing`, the caller is granted nothing at all",
                example: Self::InsufficientScope {
                    missing: vec!["workflow:create"],
                    ask_for: vec!["N8N.Workflow.Write".to_owned()],
                },
            }
            /// Not an operation of n8n's public API that this version knows; only `*` allows it.
            UnknownOperation => {
                status: 403,
                challenge: INSUFFICIENT_SCOPE,
                code: "unknown_operation",
                detail: "This is no operation of n8n's public API that the caller may use.",
                meaning: "not in the table of operations of this n8n, and the caller is not granted `*`",
                remedy: "look at the path, and whether `n8n_version` is right; an operation that the gate does not know needs a role that grants `*`",
            }
            /// The webhook rule refuses every request.
            WebhookDenied => {
                status: 403,
                challenge: Challenge::None,
                code: "webhook_denied",
                detail: "This webhook cannot be called here.",
                meaning: "the webhook rule says `deny`",
                remedy: "change the rule, if clients shall call the webhook here",
            }
            /// Rules guard this kind of path, and none matches this one.
            WebhookNoRule => {
                status: 403,
                challenge: Challenge::None,
                code: "webhook_no_rule",
                detail: "This webhook cannot be called here.",
                meaning: "webhook rules guard this kind of path, and none matches",
                remedy: "add a rule for the path",
            }
            /// The identity does not satisfy the webhook rule.
            WebhookRequirement => {
                status: 403,
                challenge: INSUFFICIENT_SCOPE,
                code: "webhook_requirement",
                detail: "The caller may not call this webhook.",
                meaning: "the webhook rule's `require` does not hold for the caller",
                remedy: "compare the caller with `require`",
            }
            /// `/metrics` is closed.
            MetricsDenied => {
                status: 403,
                challenge: Challenge::None,
                code: "metrics_denied",
                detail: "Metrics cannot be read here.",
                meaning: "`metrics` is `deny`",
                remedy: "read them inside, or set `metrics: pass`",
            }
            /// n8n's own authorization server is closed.
            OauthDenied => {
                status: 404,
                challenge: Challenge::None,
                code: "oauth_denied",
                detail: "n8n's own authorization server is not offered here.",
                meaning: "`oauth` is `deny`",
                remedy: "ask the provider for tokens; where n8n's own MCP server is used, set `oauth: pass`",
            }
            /// The path is outside of `path_prefix`, where n8n is not served.
            OutsidePathPrefix => {
                status: 404,
                challenge: Challenge::None,
                code: "outside_path_prefix",
                detail: "Nothing is served under this path.",
                meaning: "the path is not below `path_prefix`, and `outside` is `deny`",
                remedy: "call n8n below `path_prefix`; where another application is served there, set `outside: pass`",
            }
            /// The gate's own documents do not allow the method.
            MethodNotAllowed => {
                status: 405,
                challenge: Challenge::None,
                code: "method_not_allowed",
                detail: "Use GET.",
                meaning: "a request for a document of the gate has another method than GET",
                remedy: "nothing: the documents are only for reading",
            }
        } $($rest)* }
    };
}

pub(super) use access;
