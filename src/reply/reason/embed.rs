//! Refusals of log-ins from embedded pages.

macro_rules! embed {
    ($go_on:ident { $($rows:tt)* } $($rest:tt)*) => {
        $go_on! { {
            $($rows)*

            /// Log-ins of browsers are switched off.
            EmbedDisabled => {
                status: 501,
                challenge: Challenge::None,
                code: "embed_disabled",
                detail: "Log-ins of embedded pages are not offered here.",
                meaning: "`embed.enabled` is `false`",
                remedy: "set it to `true`, if pages of other origins shall log browsers in",
            }
            /// A log-in has another method.
            EmbedMethod => {
                status: 405,
                challenge: Challenge::None,
                code: "embed_method",
                detail: "Use GET or POST.",
                meaning: "a request for a log-in has another method than GET or POST",
                remedy: "have the page lead the browser there, or send a form",
            }
            /// A log-in would send the browser elsewhere than to n8n.
            EmbedRedirect => {
                status: 400,
                challenge: Challenge::None,
                code: "embed_redirect",
                detail: "redirectTo must be a path of this n8n.",
                meaning: "`redirectTo` is no plain path below `path_prefix`",
                remedy: "have the page send a path such as `/workflow/1`, without scheme and host",
            }
            /// A log-in without a token.
            EmbedNoToken => {
                status: 401,
                challenge: Challenge::None,
                code: "embed_no_token",
                detail: "The log-in has no token.",
                meaning: "a log-in has no `token`, in the query or, with POST, in a form",
                remedy: "have the page add the token",
            }
            /// A token for a log-in lives for longer than a minute.
            EmbedLongLived => {
                status: 401,
                challenge: Challenge::None,
                code: "embed_long_lived",
                detail: "A token for a log-in must have iat and exp, at most 60 seconds apart.",
                meaning: "the token has no `iat`, or more than 60 seconds lie between `iat` and `exp`",
                remedy: "make a token for each log-in, just before it",
            }
            /// A token for a log-in without an id.
            EmbedNoId => {
                status: 401,
                challenge: Challenge::None,
                code: "embed_no_id",
                detail: "A token for a log-in must have a jti.",
                meaning: "the token has no `jti`, so that it cannot count once",
                remedy: "put a random `jti` into each token",
            }
            /// A token began a log-in before.
            EmbedReplayed => {
                status: 401,
                challenge: Challenge::None,
                code: "embed_replayed",
                detail: "This token was used already. Begin the log-in again.",
                meaning: "the `jti` of the token was used: a page was reloaded, or the token was copied",
                remedy: "make a token for each log-in; look where the address of the log-in is kept",
            }
        } $($rest)* }
    };
}

pub(super) use embed;
