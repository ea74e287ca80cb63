//! Bodies and headers of responses about users, sessions and API keys.

use serde_json::Value;

use crate::secret::Secret;
use crate::time::UnixSeconds;

/// The name of n8n's session cookie.
const SESSION: &str = "n8n-auth";

/// The code of a log-in that lacks the second factor. n8n sends it with status 401.
const MFA_CODE: u64 = 998;

/// A user, as the gate needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// It was invited and has no password.
    Invited,
    /// It has a password.
    Active,
}

/// Reads a user of the public API. `None`: the response is none.
pub fn read_user(body: &[u8]) -> Option<AccountState> {
    let user = object(body)?;
    user.get("email").and_then(Value::as_str)?;
    let is_pending = user.get("isPending").and_then(Value::as_bool)?;
    Some(if is_pending {
        AccountState::Invited
    } else {
        AccountState::Active
    })
}

/// What an invitation led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    /// The token that accepts it.
    Token(Secret),
    /// The user has a password already.
    Active,
    /// n8n sends the token by e-mail: its SMTP server is configured.
    Mailed,
}

/// Reads the response to an invitation of one user. `None`: it is none, or n8n reports an error.
pub fn read_invited(body: &[u8]) -> Option<Invited> {
    let Value::Array(list) = serde_json::from_slice(body).ok()? else {
        return None;
    };
    let Some(first) = list.first() else {
        return Some(Invited::Active);
    };
    let user = first.get("user")?;
    let url = user.get("inviteAcceptUrl").and_then(Value::as_str);
    let Some(url) = url.filter(|url| !url.is_empty()) else {
        let is_sent = user.get("emailSent").and_then(Value::as_bool)?;
        return is_sent.then_some(Invited::Mailed);
    };
    // The rest of the address is n8n's own idea of where clients find it, and is not called.
    let (_, query) = url.split_once('?')?;
    let mut parameters = query.split('&');
    let token = parameters.find_map(|parameter| parameter.strip_prefix("token="))?;
    (!token.is_empty()).then(|| Invited::Token(Secret::new(token.to_owned())))
}

/// Why a log-in with status 401 failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFault {
    /// The user has another password, or does not exist.
    Password,
    /// The user has a second factor.
    SecondFactor,
}

/// Reads the body of a log-in that n8n refused with 401.
pub fn read_login_fault(body: &[u8]) -> LoginFault {
    let code = object(body).and_then(|fault| fault.get("code")?.as_u64());
    if code == Some(MFA_CODE) {
        LoginFault::SecondFactor
    } else {
        LoginFault::Password
    }
}

/// The first and the last name of a user that logged in. `None`: the response is none of a log-in.
pub fn read_names(body: &[u8]) -> Option<[String; 2]> {
    let user = data(body)?;
    user.get("email").and_then(Value::as_str)?;
    let name = |member: &str| user.get(member).and_then(Value::as_str);
    let names = ["firstName", "lastName"].map(|member| name(member).unwrap_or_default());
    Some(names.map(str::to_owned))
}

/// The pair of name and value of the session cookie that a response sets, as a request sends it.
pub fn session_cookie<'h>(set_cookies: impl Iterator<Item = &'h [u8]>) -> Option<Secret> {
    let mut pairs = set_cookies.filter_map(|cookie| {
        let pair = std::str::from_utf8(cookie).ok()?.split(';').next()?.trim();
        let value = pair.strip_prefix(SESSION)?.strip_prefix('=')?;
        let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic());
        (is_plain && !value.is_empty()).then(|| Secret::new(pair.to_owned()))
    });
    pairs.next()
}

/// The scopes that a key of the session's user can have.
pub fn read_grantable(body: &[u8]) -> Option<Vec<String>> {
    let Value::Array(list) = data(body)? else {
        return None;
    };
    let scopes = list.into_iter().map(|scope| match scope {
        Value::String(scope) => Some(scope),
        _ => None,
    });
    scopes.collect()
}

/// An API key that n8n made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintedKey {
    /// n8n's identifier of it, by which it is deleted.
    pub id: String,
    /// The key. n8n shows it once.
    pub key: Secret,
}

/// Reads the response to a call that makes an API key.
pub fn read_new_key(body: &[u8]) -> Option<MintedKey> {
    let data = data(body)?;
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let key = text("rawApiKey")?;
    // It becomes the value of a header.
    let is_plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then_some(MintedKey {
        id: text("id")?.to_owned(),
        key: Secret::new(key.to_owned()),
    })
}

/// The ids of the keys in a list that have expired, and whose labels begin so.
pub fn read_expired_keys(body: &[u8], label: &str, now: UnixSeconds) -> Option<Vec<String>> {
    let list = listed_keys(body)?;
    let expired = list.iter().filter_map(|key| {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let is_over = key.get("expiresAt").and_then(Value::as_u64)? <= now.0;
        let is_ours = text("label")?.starts_with(label);
        (is_over && is_ours).then(|| text("id").map(str::to_owned))?
    });
    Some(expired.collect())
}

/// The keys in a list.
pub(super) fn listed_keys(body: &[u8]) -> Option<Vec<Value>> {
    let mut data = data(body)?;
    // Older versions send the list itself.
    let list = match data.get_mut("items") {
        Some(items) => items.take(),
        None => data,
    };
    match list {
        Value::Array(list) => Some(list),
        _ => None,
    }
}

fn object(body: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(body).ok()?;
    value.is_object().then_some(value)
}

/// The internal API wraps what it sends.
fn data(body: &[u8]) -> Option<Value> {
    object(body)?.get_mut("data").map(Value::take)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_invited_or_active_and_anything_else_is_no_user() {
        let user =
            |pending: &str| format!(r#"{{"id":"u","email":"a@b.example","isPending":{pending}}}"#);
        let read = |body: &str| read_user(body.as_bytes());
        assert_eq!(read(&user("true")), Some(AccountState::Invited));
        assert_eq!(read(&user("false")), Some(AccountState::Active));
        for body in [
            "",
            "[]",
            "{}",
            r#"{"message":"not found"}"#,
            &user("\"no\""),
            "<!doctype html>",
        ] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn an_invitation_has_a_token_or_says_why_it_has_none() {
        let read = |body: &str| read_invited(body.as_bytes());
        let with = |members: &str| format!(r#"[{{"user":{{"id":"u",{members}}},"error":""}}]"#);
        let url = r#""emailSent":false,"inviteAcceptUrl":"http://n8n:5678/signup?token=a.b.c""#;
        let token = Invited::Token(Secret::new("a.b.c".to_owned()));
        assert_eq!(read(&with(url)), Some(token));
        assert_eq!(read("[]"), Some(Invited::Active));
        assert_eq!(read(&with(r#""emailSent":true"#)), Some(Invited::Mailed));
        for body in [
            with(r#""emailSent":false"#),
            with(r#""emailSent":false,"inviteAcceptUrl":"http://n8n/signup?token=""#),
            with(r#""emailSent":false,"inviteAcceptUrl":"http://n8n/signup""#),
            r#"[{"error":"it failed"}]"#.to_owned(),
            "{}".to_owned(),
        ] {
            assert_eq!(read(&body), None, "{body}");
        }
    }

    #[test]
    fn a_session_is_the_one_cookie_of_that_name() {
        let cookie = |all: &[&str]| {
            let cookie = session_cookie(all.iter().map(|one| one.as_bytes()));
            cookie.map(|cookie| cookie.expose().to_owned())
        };
        let login = "n8n-auth=a.b.c; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax";
        assert_eq!(cookie(&["x=1", login]).as_deref(), Some("n8n-auth=a.b.c"));
        for wrong in [
            "n8n-auth=; Path=/",
            "n8n-authx=1",
            "n8n-auth",
            "n8n-auth=a b",
        ] {
            assert_eq!(cookie(&[wrong]), None, "{wrong}");
        }
    }

    #[test]
    fn a_log_in_says_what_the_user_is_called() {
        let body = br#"{"data":{"email":"a@b.example","firstName":"Ada","lastName":null}}"#;
        assert_eq!(read_names(body).unwrap(), ["Ada", ""]);
        for body in ["{}", r#"{"data":{}}"#, r#"{"data":[]}"#, "<!doctype html>"] {
            assert_eq!(read_names(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_refused_log_in_names_its_cause() {
        let wrong = br#"{"code":401,"message":"Wrong username or password."}"#;
        assert_eq!(read_login_fault(wrong), LoginFault::Password);
        let second = br#"{"code":998,"message":"MFA Error"}"#;
        assert_eq!(read_login_fault(second), LoginFault::SecondFactor);
        assert_eq!(read_login_fault(b"no JSON"), LoginFault::Password);
    }

    #[test]
    fn scopes_and_keys_are_within_data() {
        let scopes = read_grantable(br#"{"data":["workflow:list","tag:read"]}"#);
        assert_eq!(scopes.unwrap(), ["workflow:list", "tag:read"]);
        assert_eq!(read_grantable(br#"{"data":[1]}"#), None);
        assert_eq!(read_grantable(br#"["workflow:list"]"#), None);
        let key = read_new_key(br#"{"data":{"id":"k","rawApiKey":"a.b.c","apiKey":"***"}}"#);
        let key = key.unwrap();
        assert_eq!((&*key.id, key.key.expose()), ("k", "a.b.c"));
        for body in [
            r#"{"data":{"id":"k","apiKey":"***"}}"#,
            r#"{"data":{"rawApiKey":"a.b.c"}}"#,
            r#"{"data":{"id":"k","rawApiKey":"a b"}}"#,
            r#"{"data":{"id":"k","rawApiKey":""}}"#,
        ] {
            assert_eq!(read_new_key(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn only_expired_keys_of_this_label_are_named() {
        let key = |id: &str, label: &str, end: &str| {
            format!(r#"{{"id":"{id}","label":"{label}","expiresAt":{end}}}"#)
        };
        let all = [
            key("over", "gate 1", "99"),
            key("now", "gate 2", "100"),
            key("lasting", "gate 3", "101"),
            key("endless", "gate 4", "null"),
            key("of-a-person", "my gate", "99"),
        ]
        .join(",");
        for list in [format!("[{all}]"), format!(r#"{{"items":[{all}]}}"#)] {
            let body = format!(r#"{{"data":{list}}}"#);
            let expired = read_expired_keys(body.as_bytes(), "gate ", UnixSeconds(100));
            assert_eq!(expired.unwrap(), ["over", "now"]);
        }
        assert_eq!(read_expired_keys(b"{}", "gate ", UnixSeconds(100)), None);
    }
}
