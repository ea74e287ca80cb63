//! Paths and bodies of calls about users, sessions and API keys.

use serde::Serialize;

use crate::n8n::endpoints::Endpoints;
use crate::n8n::segment::segment;
use crate::time::UnixSeconds;

/// The longest first or last name of a user, in characters.
pub const MAX_NAME: usize = 32;

/// The longest label of an API key, in characters.
pub const MAX_LABEL: usize = 50;

/// How the labels of keys begin that the gate makes.
pub const LABEL: &str = "n8n-idp-gate ";

/// The role of the users that the gate makes. Without an Enterprise licence there is no narrower one.
pub const MEMBER: &str = "global:member";

/// The paths of one n8n that calls about accounts go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPaths {
    /// `GET` with an e-mail address behind it finds a user, `POST` makes one.
    pub users: String,
    /// `POST` accepts an invitation.
    pub accept: String,
    /// `POST` logs in.
    pub login: String,
    /// `PATCH` names the session's user.
    pub me: String,
    /// `POST` makes an API key of the session's user.
    pub keys: String,
    /// `GET` lists the scopes that a key of the session's user can have.
    pub grantable: String,
}

impl AccountPaths {
    /// Those of an n8n that serves its surfaces there.
    pub fn of(endpoints: &Endpoints) -> Self {
        let Endpoints { api, rest, .. } = endpoints;
        Self {
            users: format!("/{api}/v1/users"),
            accept: format!("/{rest}/invitations/accept"),
            login: format!("/{rest}/login"),
            me: format!("/{rest}/me"),
            keys: format!("/{rest}/api-keys"),
            grantable: format!("/{rest}/api-keys/scopes"),
        }
    }

    /// The path of the user with this e-mail address. `DELETE` takes only the id of the user there.
    pub fn user(&self, email: &str) -> String {
        format!("{}/{}", self.users, segment(email))
    }
}

/// `POST` ends the session.
pub fn logout_path(endpoints: &Endpoints) -> String {
    format!("/{}/logout", endpoints.rest)
}

/// `GET` lists the API keys of the session's user below `keys`, 250 at most, without the first `skip`.
/// An admin would see those of all users otherwise.
pub fn own_keys_path(keys: &str, skip: usize) -> String {
    format!("{keys}?ownership=mine&take=250&skip={skip}")
}

/// `GET` lists users below `users`, 100 at most. `cursor`: where the last list ended.
pub fn accounts_path(users: &str, cursor: Option<&str>) -> String {
    let mut path = format!("{users}?limit=100");
    if let Some(cursor) = cursor {
        path.push_str("&cursor=");
        path.push_str(&segment(cursor));
    }
    path
}

/// The path of one API key below `keys`.
pub fn delete_key_path(keys: &str, id: &str) -> String {
    format!("{keys}/{}", segment(id))
}

/// The body that invites a user.
pub fn invite_body(email: &str) -> String {
    #[derive(Serialize)]
    struct Invitation<'a> {
        email: &'a str,
        role: &'static str,
    }
    json(&[Invitation {
        email,
        role: MEMBER,
    }])
}

/// The body that accepts an invitation for its user.
pub fn accept_body(token: &str, first_name: &str, last_name: &str, password: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Acceptance<'a> {
        token: &'a str,
        first_name: &'a str,
        last_name: &'a str,
        password: &'a str,
    }
    json(&Acceptance {
        token,
        first_name,
        last_name,
        password,
    })
}

/// The body that logs a user in.
pub fn login_body(email: &str, password: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Login<'a> {
        email_or_ldap_login_id: &'a str,
        password: &'a str,
    }
    json(&Login {
        email_or_ldap_login_id: email,
        password,
    })
}

/// The body that names the session's user.
pub fn name_body(first_name: &str, last_name: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Names<'a> {
        first_name: &'a str,
        last_name: &'a str,
    }
    json(&Names {
        first_name,
        last_name,
    })
}

/// An API key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey<'a> {
    /// Its label, which no other key of the user has.
    pub label: &'a str,
    /// Its scopes, of which there must be at least one.
    pub scopes: &'a [&'a str],
    /// When it ends.
    pub expires: UnixSeconds,
}

/// The body that makes an API key.
pub fn key_body(key: &NewKey<'_>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Key<'a> {
        label: &'a str,
        scopes: &'a [&'a str],
        expires_at: u64,
    }
    json(&Key {
        label: key.label,
        scopes: key.scopes,
        expires_at: key.expires.0,
    })
}

fn json<T: Serialize>(value: &T) -> String {
    // Texts and numbers always have a JSON form.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_endpoints_and_no_value_leaves_its_segment() {
        let endpoints = Endpoints {
            api: "n8n-api".to_owned(),
            rest: "internal".to_owned(),
            ..Endpoints::default()
        };
        let paths = AccountPaths::of(&endpoints);
        assert_eq!(paths.login, "/internal/login");
        assert_eq!(
            paths.user("a+b@c.example"),
            "/n8n-api/v1/users/a%2Bb%40c.example"
        );
        assert_eq!(paths.user("../x?y"), "/n8n-api/v1/users/..%2Fx%3Fy");
        assert_eq!(
            delete_key_path(&paths.keys, "a/b"),
            "/internal/api-keys/a%2Fb"
        );
        assert_eq!(logout_path(&endpoints), "/internal/logout");
        assert_eq!(
            accounts_path(&paths.users, Some("a=&b")),
            "/n8n-api/v1/users?limit=100&cursor=a%3D%26b"
        );
    }

    #[test]
    fn bodies_are_as_n8n_reads_them() {
        assert_eq!(
            invite_body("a@b.example"),
            r#"[{"email":"a@b.example","role":"global:member"}]"#
        );
        assert_eq!(
            accept_body("t", "Client", "or\"ders", "A1"),
            r#"{"token":"t","firstName":"Client","lastName":"or\"ders","password":"A1"}"#
        );
        assert_eq!(
            login_body("a@b.example", "A1"),
            r#"{"emailOrLdapLoginId":"a@b.example","password":"A1"}"#
        );
        let key = NewKey {
            label: "gate 1",
            scopes: &["workflow:list"],
            expires: UnixSeconds(1_795_953_661),
        };
        assert_eq!(
            key_body(&key),
            r#"{"label":"gate 1","scopes":["workflow:list"],"expiresAt":1795953661}"#
        );
    }
}
