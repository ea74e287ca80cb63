//! How the gate itself calls an n8n, to make users and API keys for principals.

use std::time::Duration;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use hmac_sha256::HMAC;

use crate::http::Endpoint;
use crate::n8n::accounts::AccountPaths;
use crate::secret::Secret;

/// The form of passwords. Another form gets another number, so that users of both can exist while the
/// gates of a fleet are replaced.
const PASSWORD_FORM: &str = "n8n-idp-gate password, version 1";

/// How the gate itself calls an n8n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisioning {
    /// Where n8n is, without a path.
    pub server: Endpoint,
    /// The paths of its accounts.
    pub paths: AccountPaths,
    /// The API key that finds and makes users: `user:read` and `user:create`, and no more.
    pub api_key: Secret,
    /// What the passwords of users are derived from.
    pub seed: Secret,
    /// The domain of the addresses of users that are made for callers.
    pub email_domain: String,
    /// How long a minted API key lives.
    pub key_ttl: Duration,
    /// How long one call may take.
    pub timeout: Duration,
}

impl Provisioning {
    /// Where a call to this path goes.
    pub fn endpoint(&self, path: &str) -> Endpoint {
        Endpoint {
            path: path.to_owned(),
            ..self.server.clone()
        }
    }

    /// The password of a user. It is derived, so that every worker and every replica knows it, and
    /// none of them stores it.
    ///
    /// n8n takes 8 to 64 characters with a digit and a capital letter among them, which the first two
    /// are. The others have 256 bits.
    pub fn password(&self, email: &str) -> Secret {
        let mut code = HMAC::new(self.seed.expose());
        code.update(PASSWORD_FORM);
        code.update([0]);
        code.update(email);
        Secret::new(format!("A1{}", URL_SAFE_NO_PAD.encode(code.finalize())))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::policy) fn provisioning(seed: &str) -> Provisioning {
        Provisioning {
            server: Endpoint {
                cluster: "n8n".to_owned(),
                scheme: "http".to_owned(),
                authority: "n8n:5678".to_owned(),
                path: String::new(),
            },
            paths: AccountPaths::of(&crate::n8n::Endpoints::default()),
            api_key: Secret::new("key".to_owned()),
            seed: Secret::new(seed.to_owned()),
            email_domain: "gate.invalid".to_owned(),
            key_ttl: Duration::from_secs(3600),
            timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn a_password_depends_on_seed_and_user_and_is_one_for_n8n() {
        let one = provisioning("seed");
        let password = one.password("a@gate.invalid");
        assert_eq!(password, one.password("a@gate.invalid"));
        assert_ne!(password, one.password("b@gate.invalid"));
        assert_ne!(password, provisioning("seeds").password("a@gate.invalid"));
        let text = password.expose();
        assert!((8..=64).contains(&text.len()));
        assert!(text.contains(|letter: char| letter.is_ascii_digit()));
        assert!(text.contains(|letter: char| letter.is_ascii_uppercase()));
    }

    /// Users exist in n8n with these passwords: another form would lock the gate out of them.
    #[test]
    fn the_form_of_passwords_stays() {
        let password = provisioning("0123456789abcdef").password("a@gate.invalid");
        assert_eq!(
            password.expose(),
            "A1VTl7zToHxEFfkNK8qYe9H_kOEufOLMfxmxpzBDmthw4"
        );
    }

    #[test]
    fn a_call_goes_to_the_server_of_n8n() {
        let endpoint = provisioning("seed").endpoint("/rest/login");
        assert_eq!(
            (&*endpoint.authority, &*endpoint.path),
            ("n8n:5678", "/rest/login")
        );
    }
}
