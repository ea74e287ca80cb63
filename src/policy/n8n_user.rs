//! As which user of n8n the callers of a principal act.

use std::fmt::Write as _;

use hmac_sha256::{Hash, HMAC};

use super::provisioning::Provisioning;
use crate::identity::Identity;
use crate::n8n::accounts::MAX_NAME;

/// The most characters of a value in the address of its user.
const MAX_SLUG: usize = 24;

/// How much of the code is in an address, in bytes. To find a second value with the address of a
/// given one takes some 2^96 attempts.
const HASH: usize = 12;

/// The form of addresses. Another one would give each caller a new user.
const ADDRESS_FORM: &str = "n8n-idp-gate address, version 1";

/// As which user of n8n the callers of a principal act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRule {
    /// All of them as one user.
    One {
        /// Its e-mail address, in lower case.
        email: String,
    },
    /// As a user for each client, subject, group or tenant.
    Per(Per),
}

/// What there is a user for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Per {
    /// Each OAuth client of an issuer.
    Client,
    /// Each subject of an issuer.
    Subject,
    /// Each of these groups. A caller in several acts as the user of the first one.
    Group(Vec<String>),
    /// Each tenant of an issuer.
    Tenant,
}

/// A user of n8n, as the gate makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N8nUser {
    /// Its e-mail address, in lower case, as n8n stores it.
    pub email: String,
    /// Its first name: what it is a user for.
    pub first_name: String,
    /// Its last name: which one.
    pub last_name: String,
}

impl N8nUser {
    /// The same user with another name, as far as that is one for n8n: it refuses markup and addresses of
    /// servers. An empty name changes nothing.
    #[must_use]
    pub fn named(mut self, first: &str, last: &str) -> Self {
        for (own, wanted) in [(&mut self.first_name, first), (&mut self.last_name, last)] {
            let plain = |letter: char| letter.is_alphanumeric() || " '_-".contains(letter);
            let wanted: String = wanted.chars().filter(|letter| plain(*letter)).collect();
            let wanted: String = wanted.trim().chars().take(MAX_NAME).collect();
            if !wanted.is_empty() {
                *own = wanted;
            }
        }
        self
    }
}

/// The token of a caller does not name what the rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoUser;

impl UserRule {
    /// The user of a caller.
    pub fn user(
        &self,
        principal: &str,
        identity: &Identity,
        provisioning: &Provisioning,
    ) -> Result<N8nUser, NoUser> {
        match self {
            Self::One { email } => Ok(N8nUser {
                email: email.clone(),
                first_name: "Principal".to_owned(),
                last_name: shown(principal),
            }),
            Self::Per(per) => {
                let value = per.value(identity).ok_or(NoUser)?;
                Ok(per.user(&identity.issuer, value, provisioning))
            }
        }
    }
}

impl Per {
    /// The word in the configuration and in addresses.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Subject => "subject",
            Self::Group(_) => "group",
            Self::Tenant => "tenant",
        }
    }

    const fn first_name(&self) -> &'static str {
        match self {
            Self::Client => "Client",
            Self::Subject => "Subject",
            Self::Group(_) => "Group",
            Self::Tenant => "Tenant",
        }
    }

    fn value<'i>(&'i self, identity: &'i Identity) -> Option<&'i str> {
        let value = match self {
            Self::Client => identity.client.as_deref(),
            Self::Subject => identity.subject.as_deref(),
            Self::Tenant => identity.tenant.as_deref(),
            Self::Group(listed) => {
                let mut listed = listed.iter().map(String::as_str);
                listed.find(|group| identity.groups.iter().any(|own| own == group))
            }
        };
        value.filter(|value| !value.is_empty())
    }

    /// The readable part of an address may be the same for two values. The rest is not, and tells
    /// issuers and kinds apart too: no caller can choose a value whose user another caller has. It
    /// depends on the seed, because n8n counts failed log-ins by address: a client that could guess
    /// one would keep the gate from logging in.
    fn user(&self, issuer: &str, value: &str, provisioning: &Provisioning) -> N8nUser {
        let mut hash = HMAC::new(provisioning.seed.expose());
        hash.update(ADDRESS_FORM);
        for part in [self.as_str(), issuer, value] {
            hash.update(Hash::hash(part.as_bytes()));
        }
        let mut email = format!("{}-", self.as_str());
        let slug = slug(value);
        if !slug.is_empty() {
            email.push_str(&slug);
            email.push('-');
        }
        for byte in hash.finalize().iter().take(HASH) {
            // Writing to a string never fails.
            let _ = write!(email, "{byte:02x}");
        }
        email.push('@');
        email.push_str(&provisioning.email_domain);
        N8nUser {
            email,
            first_name: self.first_name().to_owned(),
            last_name: shown(value),
        }
    }
}

/// The value in lower case, with a hyphen for each run of other characters than letters and digits.
fn slug(value: &str) -> String {
    let mut slug = String::new();
    for letter in value.chars() {
        if slug.len() >= MAX_SLUG {
            break;
        }
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The value as n8n shows it in its list of users: its end where it is too long, because many ids
/// differ there. n8n refuses markup in names.
fn shown(value: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || " ._:@/|-".contains(letter) {
            letter
        } else {
            '_'
        }
    };
    let letters: Vec<char> = value.chars().map(plain).collect();
    let first = letters.len().saturating_sub(MAX_NAME);
    letters.into_iter().skip(first).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::identity::Kind;
    use crate::policy::provisioning::tests::provisioning;
    use crate::time::UnixSeconds;

    fn identity(issuer: &str) -> Identity {
        Identity {
            provider: "idp".into(),
            issuer: issuer.into(),
            subject: Some("00u1-Ada".to_owned()),
            client: Some("orders".to_owned()),
            kind: Kind::App,
            verified_email: None,
            scopes: Vec::new(),
            roles: Vec::new(),
            groups: vec!["sales".to_owned(), "ops".to_owned()],
            groups_left_out: false,
            tenant: Some("contoso".to_owned()),
            hosted_domain: None,
            token_id: None,
            expires: UnixSeconds(0),
            claims: std::sync::Arc::default(),
        }
    }

    #[test]
    fn a_user_has_the_name_of_the_token_as_far_as_n8n_takes_it() {
        let user = || N8nUser {
            email: "a@gate.invalid".to_owned(),
            first_name: "Subject".to_owned(),
            last_name: "00u1".to_owned(),
        };
        let names = |first: &str, last: &str| {
            let user = user().named(first, last);
            (user.first_name, user.last_name)
        };
        let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
        assert_eq!(
            names("Zo\u{eb}", "O'Neil-Smith"),
            pair("Zo\u{eb}", "O'Neil-Smith")
        );
        assert_eq!(names("", " "), pair("Subject", "00u1"));
        assert_eq!(names("<b>", "a.example"), pair("b", "aexample"));
        assert_eq!(names(&"x".repeat(40), "y").0.len(), 32);
    }

    #[test]
    fn an_address_cannot_be_guessed_without_the_seed() {
        let identity = identity("https://idp.example");
        let rule = UserRule::Per(Per::Client);
        let users = ["seed", "seeds"].map(|seed| {
            let user = rule.user("orders", &identity, &provisioning(seed));
            user.unwrap().email
        });
        assert_ne!(users[0], users[1]);
    }

    fn per(per: Per, identity: &Identity) -> N8nUser {
        let rule = UserRule::Per(per);
        rule.user("orders", identity, &provisioning("seed"))
            .unwrap()
    }

    #[test]
    fn a_user_tells_an_admin_what_it_stands_for() {
        let identity = identity("https://idp.example");
        let user = per(Per::Client, &identity);
        assert_eq!([&*user.first_name, &*user.last_name], ["Client", "orders"]);
        assert!(user.email.starts_with("client-orders-"), "{}", user.email);
        assert!(user.email.ends_with("@gate.invalid"), "{}", user.email);
        let fixed = UserRule::One {
            email: "svc@n8n.example".to_owned(),
        };
        let user = fixed.user("nightly.jobs", &identity, &provisioning("seed"));
        let user = user.unwrap();
        assert_eq!(user.email, "svc@n8n.example");
        assert_eq!(user.last_name, "nightly.jobs");
    }

    /// Users exist in n8n under these addresses: with another form each caller would get a new user,
    /// without its workflows.
    #[test]
    fn the_form_of_addresses_stays() {
        let identity = identity("https://idp.example");
        let groups = Per::Group(vec!["ops".to_owned()]);
        let users = [Per::Client, Per::Subject, groups, Per::Tenant];
        let users = users.map(|kind| per(kind, &identity).email);
        assert_eq!(
            users.join("\n"),
            "client-orders-c005e5678f70a284d1367560@gate.invalid\n\
             subject-00u1-ada-323fec09d8b4c8e296d4a578@gate.invalid\n\
             group-ops-f31e2bc43972c2a683959184@gate.invalid\n\
             tenant-contoso-a9ee707002999fd11c2bbb31@gate.invalid"
        );
    }

    #[test]
    fn users_differ_in_kind_issuer_and_value() {
        let mut all = BTreeSet::new();
        for issuer in ["https://idp.example", "https://idp.example/"] {
            let mut identity = identity(issuer);
            for value in ["a", "A", "a-", "a b", "a_b", "\u{e9}", "ab", "a\u{0}"] {
                identity.client = Some(value.to_owned());
                identity.subject = Some(value.to_owned());
                all.insert(per(Per::Client, &identity).email);
                all.insert(per(Per::Subject, &identity).email);
            }
        }
        assert_eq!(all.len(), 2 * 8 * 2);
    }

    #[test]
    fn the_group_of_a_caller_is_the_first_listed_one() {
        let identity = identity("https://idp.example");
        let listed = |all: &[&str]| Per::Group(all.iter().map(|&group| group.to_owned()).collect());
        let user = per(listed(&["other", "ops", "sales"]), &identity);
        assert_eq!(user.last_name, "ops");
        let user = per(listed(&["sales", "ops"]), &identity);
        assert_eq!(user.last_name, "sales");
    }

    #[test]
    fn a_caller_that_is_not_named_has_no_user() {
        let mut identity = identity("https://idp.example");
        identity.client = None;
        identity.tenant = Some(String::new());
        for rule in [
            Per::Client,
            Per::Tenant,
            Per::Group(vec!["other".to_owned()]),
        ] {
            let user = UserRule::Per(rule).user("p", &identity, &provisioning("seed"));
            assert_eq!(user, Err(NoUser));
        }
    }

    #[test]
    fn addresses_and_names_are_ones_for_n8n_for_any_value() {
        let mut identity = identity("https://idp.example");
        let long = "x".repeat(400);
        for value in [
            "https://a.example/<b>",
            "\u{202e}\u{e9}\r\n",
            "auth0|5f7c8ec7c33c6c004bbafe82",
            "<script>",
            "---",
            &long,
        ] {
            identity.subject = Some(value.to_owned());
            let user = per(Per::Subject, &identity);
            let (local, _) = user.email.split_once('@').unwrap();
            assert!(local.len() <= 64, "{local}");
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(local.bytes().all(|byte| plain(byte) || byte == b'-'));
            assert!((1..=MAX_NAME).contains(&user.last_name.len()));
            assert!(!user.last_name.contains(['<', '>', '\r']));
        }
    }
}
