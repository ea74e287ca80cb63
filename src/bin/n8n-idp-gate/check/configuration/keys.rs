//! API keys of n8n in the environment of this process.

use n8n_idp_gate::policy::{principal_label, Policy};
use n8n_idp_gate::token::ApiKeyForm;
use serde_json::Value;

use crate::diagnostic::rules::{API_KEY_EXPIRED, API_KEY_EXPIRES, NOT_AN_API_KEY};
use crate::diagnostic::Fault;
use crate::file::environment::variable;
use crate::file::input::now;

/// How the API keys of n8n begin that are no JWTs.
const OLD_PREFIX: &str = "n8n_api_";

pub(super) fn look(policy: &Policy, configuration: &Value) -> Vec<Fault> {
    let now = now().to_seconds();
    let places = places(configuration);
    let path = |sentence: &str| {
        let mut keys = policy.key_expiries().map(|(key, _)| key);
        let key = keys.find(|key| sentence.starts_with(&format!("{key} ")));
        let place = key.and_then(|key| {
            let mut places = places.iter();
            places.find(|place| place.principal == key.principal && place.number == key.number)
        });
        place.map_or(String::new(), |place| place.path.clone())
    };
    let expired = policy.expired_keys(now);
    let expired = expired.map(|one| Fault::of_sentence(API_KEY_EXPIRED, &path(&one), &one));
    let expiring = policy.expiring_keys(now);
    let expiring = expiring.map(|one| Fault::of_sentence(API_KEY_EXPIRES, &path(&one), &one));
    let others = places.iter().filter(|place| {
        let value = variable(place.variable);
        value.is_some_and(|value| {
            let value = value.expose();
            matches!(ApiKeyForm::of(value), ApiKeyForm::Opaque) && !value.starts_with(OLD_PREFIX)
        })
    });
    let others = others.map(|place| {
        Fault::new(
            NOT_AN_API_KEY,
            &place.path,
            "the environment holds a value that is not of the form of n8n's API keys",
            "set the variable to the key as n8n showed it",
        )
    });
    expired.chain(expiring).chain(others).collect()
}

/// Where a configuration names an API key.
struct Place<'c> {
    path: String,
    variable: &'c str,
    /// The principal with its instance. Empty: it is a provisioning key.
    principal: String,
    /// Its number in the list of the principal, from 1.
    number: usize,
}

fn places(configuration: &Value) -> Vec<Place<'_>> {
    let instances = configuration["instances"].as_array().into_iter().flatten();
    let instances = instances.enumerate().map(|(index, instance)| {
        let name = instance["name"].as_str();
        (format!("instances[{index}]."), name, instance)
    });
    let mut found = Vec::new();
    for (at, name, instance) in instances.chain([(String::new(), None, configuration)]) {
        let provisioning = instance["n8n"].get("api_key");
        let of_n8n = |key| Place::of(format!("{at}n8n.api_key"), key, "", 1);
        found.extend(provisioning.and_then(of_n8n));
        let principals = instance["principals"].as_array().into_iter().flatten();
        for (index, principal) in principals.enumerate() {
            let label = principal_label(name, principal["name"].as_str().unwrap_or_default());
            let at = format!("{at}principals[{index}]");
            let only = &principal["api_key"];
            found.extend(Place::of(format!("{at}.api_key"), only, &label, 1));
            let keys = principal["api_keys"].as_array().into_iter().flatten();
            for (number, key) in (1_usize..).zip(keys) {
                let index = number.saturating_sub(1);
                found.extend(Place::of(
                    format!("{at}.api_keys[{index}]"),
                    key,
                    &label,
                    number,
                ));
            }
        }
    }
    found
}

impl<'c> Place<'c> {
    fn of(path: String, key: &'c Value, principal: &str, number: usize) -> Option<Self> {
        Some(Self {
            path,
            variable: key["env"].as_str()?,
            principal: principal.to_owned(),
            number,
        })
    }
}
