//! What is true in a world, by what a record has.

use n8n_idp_gate::n8n::Surface;
use n8n_idp_gate::policy::{
    Admission, DpopUse, Instance, Per, Principal, Provider, RevokedEntry, RevokedTokens, Upstream,
    UserRule,
};
use n8n_idp_gate::reply::Reason;

use super::judge::{Judge, Needs};
use super::old::Facts;
use super::record::Record;
use super::request::head;
use super::rights::{scopes, Question, Rights};
use super::truth::{Caller, Settled};
use super::worlds::{never_claimed, Premises, PrincipalHere, World};
use crate::explain::place::Place;

impl<'p> Judge<'p> {
    /// What is true in a world.
    pub(super) fn premises(
        &self,
        world: World,
        record: &Record,
        place: &Place<'p, '_>,
        facts: Option<&Facts<'p>>,
        needs: &mut Needs,
    ) -> Premises<'p> {
        let found = record.iss.as_deref().and_then(|issuer| {
            let (id, provider) = self.provider(record, issuer)?;
            Some((issuer, id, provider))
        });
        let caller = found
            .zip(record.kind())
            .map(|((_, _, provider), kind)| Caller {
                provider: &provider.name,
                client: record.client.as_deref(),
                subject: record.sub.as_deref(),
                kind,
            });
        let nothing = Settled::default();
        let settled = facts.map_or(&nothing, |facts| &facts.settled);
        let is_wide = world == World::Wide;
        let principal = place.instance.zip(caller.as_ref());
        let principal = principal.and_then(|(instance, caller)| {
            let asked = match place.route.as_ref().map(|route| route.surface) {
                Some(Surface::PublicApi) => {
                    Question::of_call(place.operation(&head(record, None, false)))
                }
                Some(Surface::Rest) => vec![Question::REST],
                _ => Vec::new(),
            };
            let principal = first(instance, (caller, settled), is_wide, needs)?;
            let rights = Rights {
                instance,
                principal,
            };
            let old = facts.and_then(|facts| facts.rights(&asked));
            let answers = asked.into_iter().map(|question| {
                let old = old.as_ref().map(|(rights, granted)| (rights, *granted));
                let (certain, possible) = rights.answer(question, old);
                if certain != possible {
                    needs.insert("roles".to_owned());
                }
                (question, if is_wide { possible } else { certain })
            });
            let answers: Vec<_> = answers.collect();
            Some(PrincipalHere {
                principal,
                granted: scopes(answers),
                upstream: upstream(principal, record, facts, is_wide, needs),
            })
        });
        let rule = place.rule.map(|(_, rule)| {
            let holds = caller
                .as_ref()
                .map(|caller| settled.holds(caller, &rule.require));
            let is_met = match holds {
                None => true,
                Some(Ok(holds)) => holds,
                Some(Err(open)) => {
                    needs.extend(open);
                    is_wide
                }
            };
            (rule, is_met)
        });
        Premises {
            instance: place.instance.map(|instance| (instance.id, principal)),
            rule,
            provider: found.map(|(issuer, id, provider)| {
                let admission = admission(provider, facts, is_wide, needs);
                (id, issuer.to_owned(), admission)
            }),
            revoked: self.revoked(record, is_wide, needs),
            dpop: (record.credential.as_deref() == Some("dpop")).then_some(DpopUse::Accepted),
        }
    }

    /// The entries that hold for the token, of whose session, key and age a record has nothing.
    fn revoked(&self, record: &Record, is_wide: bool, needs: &mut Needs) -> RevokedTokens {
        let old = self.old.as_ref().map(|old| &old.policy().revoked);
        let was_revoked = record.reason() == Some(&Reason::TokenRevoked);
        let mut entries = Vec::new();
        for entry in &self.new.revoked.0 {
            let is_clear =
                entry.sessions.is_none() && entry.key_ids.is_none() && entry.before.is_none();
            let mut entry = entry.clone();
            if !is_clear {
                let held_for_none = old.is_some_and(|old| old.0.contains(&entry)) && !was_revoked;
                if held_for_none {
                    continue;
                }
                needs.insert("session, key or age of the token".to_owned());
                if is_wide {
                    continue;
                }
                entry.sessions = None;
                entry.key_ids = None;
                entry.before = None;
            }
            entries.push(entry);
        }
        // The provider may have revoked it.
        if was_revoked && !is_wide {
            needs.insert("whether the token is still revoked".to_owned());
            entries.push(RevokedEntry::default());
        }
        RevokedTokens(entries)
    }
}

/// The first principal that matches. In the wide world those match for which it is unknown.
fn first<'p>(
    instance: &'p Instance,
    (caller, settled): (&Caller<'_>, &Settled),
    is_wide: bool,
    needs: &mut Needs,
) -> Option<&'p Principal> {
    instance.principals.iter().find(|principal| {
        let holds = settled.holds(caller, &principal.matches);
        holds.unwrap_or_else(|open| {
            needs.extend(open);
            is_wide
        })
    })
}

/// The credential of a principal. Without tenant and groups no user is found that is one for each of these.
fn upstream(
    principal: &Principal,
    record: &Record,
    facts: Option<&Facts<'_>>,
    is_wide: bool,
    needs: &mut Needs,
) -> Upstream {
    let need = match &principal.upstream {
        Upstream::User(UserRule::Per(Per::Tenant)) => "tenant",
        Upstream::User(UserRule::Per(Per::Group(_))) => "groups",
        other => return other.clone(),
    };
    let has_user = facts.and_then(|facts| facts.has_user(&principal.upstream, record));
    let has_user = has_user.unwrap_or_else(|| {
        needs.insert(need.to_owned());
        is_wide
    });
    if has_user {
        let email = "user@of.the.record.invalid".to_owned();
        return Upstream::User(UserRule::One { email });
    }
    Upstream::User(UserRule::Per(Per::Tenant))
}

/// The rules of a provider, without those that are known to hold. The others hold in the wide world alone.
fn admission(
    provider: &Provider,
    facts: Option<&Facts<'_>>,
    is_wide: bool,
    needs: &mut Needs,
) -> Admission {
    let old = facts.filter(|facts| facts.is_admitted);
    let old = old.and_then(|facts| Some(&facts.provider?.admission));
    let new = &provider.admission;
    let mut left = Admission {
        clients: new.clients.clone(),
        ..Admission::default()
    };
    let mut open = |need: &str| {
        needs.insert(need.to_owned());
        !is_wide
    };
    if let Some(listed) = &new.tenants {
        let known = old.and_then(|old| old.tenants.as_ref());
        if !known.is_some_and(|known| known.is_subset(listed)) && open("tenant") {
            left.tenants = Some(Needs::new());
        }
    }
    if let Some(listed) = &new.domains {
        let known = old.and_then(|old| old.domains.as_ref());
        if !known.is_some_and(|known| known.is_subset(listed)) && open("email_domain") {
            left.domains = Some(Needs::new());
        }
    }
    for rule in &new.claims {
        let is_known = old.is_some_and(|old| old.claims.contains(rule));
        let name = rule.path.names().join(".");
        if !is_known && open(&format!("claim {name}")) {
            left.claims.push(never_claimed());
        }
    }
    left
}
