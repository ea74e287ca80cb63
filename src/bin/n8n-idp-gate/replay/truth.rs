//! Whether conditions hold for a caller of whom a record has a part.

use std::collections::BTreeSet;

use n8n_idp_gate::identity::Kind;
use n8n_idp_gate::policy::Condition;

/// What a record has of a verified caller.
pub(crate) struct Caller<'r> {
    /// The name of its provider, in the configuration that the conditions are of.
    pub(crate) provider: &'r str,
    /// The OAuth client.
    pub(crate) client: Option<&'r str>,
    /// The subject.
    pub(crate) subject: Option<&'r str>,
    /// The kind.
    pub(crate) kind: Kind,
}

impl Caller<'_> {
    /// What is left of a condition to be found out; `None`: it does not hold, whatever the rest is.
    pub(crate) fn left(&self, condition: &Condition) -> Option<Condition> {
        let is_one = |listed: &Option<BTreeSet<String>>, value: Option<&str>| {
            let listed = listed.as_ref();
            listed.is_none_or(|listed| value.is_some_and(|value| listed.contains(value)))
        };
        let holds = is_one(&condition.providers, Some(self.provider))
            && is_one(&condition.clients, self.client)
            && is_one(&condition.subjects, self.subject)
            && condition.kind.is_none_or(|kind| kind == self.kind);
        holds.then(|| Condition {
            providers: None,
            clients: None,
            subjects: None,
            kind: None,
            ..condition.clone()
        })
    }
}

/// What is known of conditions by another decision about the same caller: of each, what is [left] of it.
///
/// [left]: Caller::left
#[derive(Default)]
pub(crate) struct Settled {
    /// These hold.
    pub(crate) hold: Vec<Condition>,
    /// These do not hold, also if the token left groups out.
    pub(crate) fail: Vec<Condition>,
}

impl Settled {
    /// Whether a condition holds for the caller; `Err`: what would have to be known.
    pub(crate) fn holds(
        &self,
        caller: &Caller<'_>,
        condition: &Condition,
    ) -> Result<bool, BTreeSet<String>> {
        let Some(left) = caller.left(condition) else {
            return Ok(false);
        };
        if self.fail.iter().any(|known| known.covers(&left)) {
            return Ok(false);
        }
        // Each caller for whom the other one holds is one for whom this field does.
        let is_open = |field: &Condition| !self.hold.iter().any(|known| field.covers(known));
        let open = fields(&left).into_iter();
        let open = open.filter(|(_, field)| is_open(field));
        let open: BTreeSet<_> = open.map(|(name, _)| name).collect();
        if open.is_empty() {
            return Ok(true);
        }
        Err(open)
    }
}

/// The fields of a condition, as the configuration names them, each as a condition of its own.
fn fields(condition: &Condition) -> Vec<(String, Condition)> {
    let Condition {
        providers: _,
        clients: _,
        subjects: _,
        kind: _,
        emails,
        email_domains,
        tenants,
        roles,
        scopes,
        groups,
        claims,
    } = condition;
    let mut fields = Vec::new();
    let mut add = |name: &str, listed: &Option<BTreeSet<String>>, set: Set| {
        if let Some(listed) = listed {
            let mut field = Condition::default();
            *set(&mut field) = Some(listed.clone());
            fields.push((name.to_owned(), field));
        }
    };
    add("email", emails, |field| &mut field.emails);
    add("email_domain", email_domains, |field| {
        &mut field.email_domains
    });
    add("tenant", tenants, |field| &mut field.tenants);
    add("roles", roles, |field| &mut field.roles);
    add("scopes", scopes, |field| &mut field.scopes);
    add("groups", groups, |field| &mut field.groups);
    let claims = claims.iter().map(|rule| {
        let field = Condition {
            claims: vec![rule.clone()],
            ..Condition::default()
        };
        (format!("claim {}", rule.path.names().join(".")), field)
    });
    fields.extend(claims);
    fields
}

/// A list of a condition.
type Set = fn(&mut Condition) -> &mut Option<BTreeSet<String>>;
