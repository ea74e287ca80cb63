//! From which claims the parts of an identity come, for explanations.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::claim_source::ClaimSource;
use super::{Identity, IdentityFault, IdentityRules};
use crate::formats::json::Document;

/// How deep claims are looked into.
const DEPTH: usize = 4;

impl Identity {
    /// The claims that each part of this identity comes from: those without which the part would be another.
    /// So no table of the dialects can differ from how they read. Needs all claims of the identity.
    pub fn sources(&self, rules: &IdentityRules) -> BTreeMap<&'static str, Vec<String>> {
        let read = |claims: &Map<String, Value>| {
            let claims = Arc::new(Document::from(&Value::Object(claims.clone())));
            let source = ClaimSource {
                claims: &claims,
                issuer: &self.issuer,
                expires: self.expires,
                keeps_rfc_9068: false,
                response_kind: None,
                confirmation: None,
            };
            Self::read(source, &self.provider, rules)
        };
        let mut sources = BTreeMap::new();
        let mut claims = self.claims.object().to_map();
        if let Ok(whole) = read(&claims) {
            let search = Search { read, whole };
            search.below(&mut claims, &mut Vec::new(), &mut sources);
        }
        sources
    }

    fn parts(&self) -> [(&'static str, Vec<&str>); 8] {
        fn one(value: Option<&String>) -> Vec<&str> {
            value.map(String::as_str).into_iter().collect()
        }
        fn all(values: &[String]) -> Vec<&str> {
            values.iter().map(String::as_str).collect()
        }
        [
            ("subject", one(self.subject.as_ref())),
            ("client", one(self.client.as_ref())),
            ("kind", vec![self.kind.as_str()]),
            ("email", one(self.verified_email.as_ref())),
            ("tenant", one(self.tenant.as_ref())),
            ("roles", all(&self.roles)),
            ("scopes", all(&self.scopes)),
            ("groups", all(&self.groups)),
        ]
    }
}

struct Search<R> {
    read: R,
    whole: Identity,
}

impl<R: Fn(&Map<String, Value>) -> Result<Identity, IdentityFault>> Search<R> {
    /// Takes each claim below `path` out, and looks which parts change.
    fn below(
        &self,
        all: &mut Map<String, Value>,
        path: &mut Vec<String>,
        sources: &mut BTreeMap<&'static str, Vec<String>>,
    ) {
        let Some(members) = object_at(all, path) else {
            return;
        };
        for name in members.keys().cloned().collect::<Vec<_>>() {
            let taken = object_at(all, path).and_then(|members| members.remove(&name));
            let Some(taken) = taken else { continue };
            let changed = self.changed(all);
            let is_object = taken.is_object();
            if let Some(members) = object_at(all, path) {
                members.insert(name.clone(), taken);
            }
            if changed.is_empty() {
                continue;
            }
            path.push(name);
            let mut inner = BTreeMap::new();
            if is_object && path.len() < DEPTH {
                self.below(all, path, &mut inner);
            }
            for part in changed {
                let found = inner.remove(part);
                let found = found.unwrap_or_else(|| vec![path.join(".")]);
                sources.entry(part).or_default().extend(found);
            }
            path.pop();
        }
    }

    fn changed(&self, claims: &Map<String, Value>) -> Vec<&'static str> {
        match (self.read)(claims) {
            Err(_) => vec!["subject"],
            Ok(other) => {
                let parts = self.whole.parts().into_iter().zip(other.parts());
                let changed = parts.filter(|(own, other)| own != other);
                changed.map(|((name, _), _)| name).collect()
            }
        }
    }
}

fn object_at<'m>(
    all: &'m mut Map<String, Value>,
    path: &[String],
) -> Option<&'m mut Map<String, Value>> {
    path.iter().try_fold(all, |members, name| {
        members.get_mut(name).and_then(Value::as_object_mut)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ClaimsAt, Dialect, KindRules};
    use super::*;
    use crate::time::UnixSeconds;

    #[test]
    fn each_part_names_the_claims_without_which_it_would_be_another() {
        let rules = IdentityRules {
            dialect: Dialect::Keycloak,
            claims_at: ClaimsAt::default(),
            trust_email: false,
            kind: KindRules::default(),
            accept_no_subject: false,
        };
        let claims = json!({
            "sub": "a", "azp": "portal", "scope": "openid x",
            "realm_access": { "roles": ["admin"], "other": 1 }, "unread": { "roles": ["x"] },
        });
        let claims = Arc::new(Document::from(&claims));
        let source = ClaimSource {
            claims: &claims,
            issuer: &"https://idp.example".into(),
            expires: UnixSeconds(0),
            keeps_rfc_9068: false,
            response_kind: None,
            confirmation: None,
        };
        let identity = Identity::read(source, &"idp".into(), &rules).unwrap();
        let sources = identity.sources(&rules);
        assert_eq!(sources["roles"], ["realm_access.roles"]);
        assert_eq!(sources["scopes"], ["scope"]);
        assert_eq!(sources["client"], ["azp"]);
        assert_eq!(sources["subject"], ["sub"]);
        assert!(!sources.contains_key("groups"), "{sources:?}");
    }
}
