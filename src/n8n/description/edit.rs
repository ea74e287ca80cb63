//! Texts that are inserted, and where.

/// The two schemes of n8n. In a requirement of security each alternative names one of them.
pub(super) const API_KEY: &str = "ApiKeyAuth";
pub(super) const BEARER: &str = "BearerAuth";

/// For programs: where clients get tokens. `OpenAPI` has no member for it beside `http` and `bearer`.
pub(super) const TOKEN_ENDPOINTS: &str = "x-token-endpoints";

/// The methods that have operations (`OpenAPI` 3.0 §4.7.9).
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// A document, and what is inserted.
pub(super) struct Edit<'t> {
    pub(super) text: &'t str,
    token_endpoints: &'t [String],
    /// In the order of the text.
    insertions: Vec<(usize, String)>,
    /// Whether a requirement of security names API keys.
    takes_api_keys: bool,
}

/// A requirement of security that names API keys.
pub(super) struct Requirement {
    /// Where the alternative ends that names them.
    pub(super) api_key_end: Option<usize>,
    /// Whether bearer tokens are an alternative already.
    pub(super) has_bearer: bool,
}

impl<'t> Edit<'t> {
    pub(super) const fn new(text: &'t str, token_endpoints: &'t [String]) -> Self {
        Self {
            text,
            token_endpoints,
            insertions: Vec::new(),
            takes_api_keys: false,
        }
    }

    pub(super) fn insert(&mut self, at: usize, text: String) {
        // They come in the order of the text, but for a few. Sorting them takes more code.
        let index = self.insertions.partition_point(|(known, _)| *known <= at);
        self.insertions.insert(index, (at, text));
    }

    /// Adds bearer tokens to a requirement, if it names API keys alone.
    pub(super) fn require(&mut self, requirement: &Requirement, alternative: String) {
        if let Some(end) = requirement.api_key_end {
            self.takes_api_keys = true;
            if !requirement.has_bearer {
                self.insert(end, alternative);
            }
        }
    }

    /// The members of the scheme for bearer tokens that it does not have: names, and values in JSON,
    /// which is YAML, too. `None`: it has some, and is another scheme.
    pub(super) fn missing<'m>(
        &self,
        members: &(impl Iterator<Item = (&'m str, &'m str)> + Clone),
    ) -> Option<Vec<(&'static str, String)>> {
        let value = |name: &str| members.clone().find(|(known, _)| *known == name);
        let mut missing = Vec::new();
        if members.clone().next().is_none() {
            for (name, value) in [
                ("type", "http"),
                ("scheme", "bearer"),
                ("bearerFormat", "JWT"),
            ] {
                missing.push((name, json(value)));
            }
        } else {
            let is = |name, wanted: &str| {
                value(name).is_some_and(|(_, value)| value.eq_ignore_ascii_case(wanted))
            };
            if !is("type", "http") || !is("scheme", "bearer") {
                return None;
            }
        }
        if self.token_endpoints.is_empty() {
            return Some(missing);
        }
        if value("description").is_none() {
            let list = self.token_endpoints.join(", ");
            let text = format!("An access token (JWT). Clients get one at: {list}");
            missing.push(("description", json(&text)));
        }
        if value(TOKEN_ENDPOINTS).is_none() {
            let list = self.token_endpoints.iter().map(|uri| json(uri));
            let list = list.collect::<Vec<_>>().join(", ");
            missing.push((TOKEN_ENDPOINTS, format!("[{list}]")));
        }
        Some(missing)
    }

    /// The document with all that was inserted. `None`: it does not say that API keys are taken, so that
    /// there is nothing beside which bearer tokens could be named.
    pub(super) fn finish(self) -> Option<String> {
        if !self.takes_api_keys {
            return None;
        }
        let added: usize = self.insertions.iter().map(|(_, text)| text.len()).sum();
        let mut whole = String::with_capacity(self.text.len().saturating_add(added));
        let mut done = 0;
        for (at, text) in &self.insertions {
            whole.push_str(self.text.get(done..*at)?);
            whole.push_str(text);
            done = *at;
        }
        whole.push_str(self.text.get(done..)?);
        Some(whole)
    }
}

pub(super) fn is_method(name: &str) -> bool {
    METHODS.contains(&name)
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
