//! Which callers a rule speaks of: `match` of a principal, `require` of a webhook.

use std::collections::BTreeSet;

use super::field_path::FieldPath;
use super::provider_summary::ProviderSummary;
use super::raw::RawCondition;
use super::read::{gathered, Located, OneOrMany, Syntax, Text};
use super::report::Message;
use super::section::{Field, Reported};
use super::suggest::nearest;
use crate::policy::Condition;

/// Turns the words of a condition into one. `providers` are the names that there are.
///
/// What is wrong never becomes a condition: a dimension left out would widen it.
pub(super) fn condition(
    field: Field<RawCondition>,
    providers: &[ProviderSummary],
) -> Result<Condition, Reported> {
    let Field { path, value, .. } = field;
    let raw = value.ok_or(Reported)?;
    let given = [
        raw.provider.given,
        raw.client.given,
        raw.subject.given,
        raw.kind.given,
        raw.email.given,
        raw.email_domain.given,
        raw.tenant.given,
        raw.roles.given,
        raw.scopes.given,
        raw.groups.given,
        raw.claims.given,
    ];
    let kind_path = raw.kind.path.clone();
    let client_path = raw.client.path.clone();
    let says_whom = check_any(&path, &raw.any, given.contains(&true));
    let condition = Condition {
        providers: known_providers(raw.provider, providers)?,
        clients: set(raw.client)?,
        subjects: set(raw.subject)?,
        kind: raw.kind.value_or_error()?.map(|kind| kind.0),
        emails: set(raw.email)?.as_ref().map(in_lower_case),
        email_domains: domains(raw.email_domain)?,
        tenants: set(raw.tenant)?,
        roles: set(raw.roles)?,
        scopes: set(raw.scopes)?,
        groups: set(raw.groups)?,
        claims: raw
            .claims
            .value_or_error()?
            .map(|rules| rules.0)
            .unwrap_or_default(),
    };
    let is_met = |known: &&ProviderSummary| {
        let names = condition.providers.as_ref();
        names.is_none_or(|names| names.contains(&known.name))
    };
    for known in providers.iter().filter(is_met) {
        if let Some(kind) = condition.kind {
            known.warn_of_kind(kind, &kind_path);
        }
        for client in condition.clients.iter().flatten() {
            known.warn_of_client(client, &client_path);
        }
    }
    let named = [&condition.clients, &condition.subjects].map(Option::is_some);
    let is_one_providers_own = named.contains(&true) || !condition.claims.is_empty();
    if is_one_providers_own && condition.providers.is_none() && providers.len() > 1 {
        path.warn(
            "names a client, subject or claim of any provider: another one could have the same for somebody else",
            "add provider",
        );
    }
    says_whom.map(|()| condition)
}

/// A condition without a dimension holds for everybody, so it has to be said in so many words.
fn check_any(path: &FieldPath, any: &Field<bool>, other_given: bool) -> Result<(), Reported> {
    match (any.value, other_given) {
        (Some(true), true) => {
            let hint = "take out any, or the other fields";
            any.path
                .error("contradicts the other fields beside it", hint);
        }
        (Some(false), _) => any.path.error("can only be true", "take it out"),
        (None, false) if path.has_errors() => {}
        (None, false) => path.error(
            "would match everybody",
            "say whom it speaks of, or any: true if everybody is meant",
        ),
        _ => return Ok(()),
    }
    Err(Reported)
}

fn known_providers(
    field: Field<OneOrMany<Located<Text>>>,
    known: &[ProviderSummary],
) -> Result<Option<BTreeSet<String>>, Reported> {
    let Some(OneOrMany(names)) = field.value_or_error()? else {
        return Ok(None);
    };
    let mut all_known = Ok(());
    for Located { path, value } in &names {
        if known.iter().any(|known| known.name == value.text) {
            continue;
        }
        let hint = match nearest(&value.text, known.iter().map(|known| known.name.as_str())) {
            Some(near) => format!("did you mean {near}?"),
            None => "write the name of one of the providers".to_owned(),
        };
        path.error("there is no provider of that name", hint);
        all_known = Err(Reported);
    }
    all_known.map(|()| Some(gathered(names.into_iter().map(|name| name.value.text))))
}

fn set<S>(field: Field<OneOrMany<Text<S>>>) -> Result<Option<BTreeSet<String>>, Reported> {
    Ok(field.value_or_error()?.map(OneOrMany::into_set))
}

/// Domains in which everybody can have an address: of a mailbox, or of a service account in a
/// project of one's own.
const EVERYBODYS: [&str; 8] = [
    "appspot.gserviceaccount.com",
    "developer.gserviceaccount.com",
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "outlook.com",
    "yahoo.com",
];

/// The domains of addresses, in lower case.
pub(super) fn domains(
    field: Field<OneOrMany<Text<EmailDomain>>>,
) -> Result<Option<BTreeSet<String>>, Reported> {
    let path = field.path.clone();
    let domains = set(field)?.as_ref().map(in_lower_case);
    for domain in EVERYBODYS {
        if domains
            .as_ref()
            .is_some_and(|domains| domains.contains(domain))
        {
            let problem = format!("lets in everybody who takes an address at {domain}");
            path.warn(
                problem,
                "list the addresses that you mean, as `email` of a principal",
            );
        }
    }
    Ok(domains)
}

fn in_lower_case(texts: &BTreeSet<String>) -> BTreeSet<String> {
    gathered(texts.iter().map(|text| text.to_ascii_lowercase()))
}

/// An e-mail address with exactly one `@`: readers disagree on where `a@b@c` belongs.
pub(super) struct Email;

impl Syntax for Email {
    const SHAPE: &'static str = "e-mail address";

    fn check(text: &str) -> Result<(), Message> {
        let sound = text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && is_domain(domain));
        if sound && !text.contains(char::is_whitespace) {
            return Ok(());
        }
        Err(Message::new(
            "is no e-mail address",
            "write one address, such as ada@example.com",
        ))
    }
}

/// The domain of an e-mail address.
pub(super) struct EmailDomain;

impl Syntax for EmailDomain {
    const SHAPE: &'static str = "domain";

    fn check(text: &str) -> Result<(), Message> {
        if is_domain(text) {
            return Ok(());
        }
        let hint = match text {
            _ if text.contains('@') => "write what stands behind the @",
            _ if text.contains('*') => "list every domain; subdomains are other domains",
            _ => "write a domain, such as example.com",
        };
        Err(Message::new("is no domain", hint))
    }
}

fn is_domain(text: &str) -> bool {
    let odd = |letter: char| letter.is_whitespace() || "@*/:,;".contains(letter);
    !text.contains(odd) && text.split('.').all(|label| !label.is_empty())
}
