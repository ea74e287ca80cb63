//! Where a request goes: instance, surface, operation and webhook rule.

use n8n_idp_gate::decide::Decision;
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::n8n::{classify, Line, Location, Operation, Route, Surface};
use n8n_idp_gate::policy::{Instance, Policy, RuleChoice, WebhookAuth, WebhookRule};
use n8n_idp_gate::reply::Reason;

use super::step::{Mark, Step};

/// Where a request goes.
pub(crate) struct Place<'p, 'h> {
    /// The instance of n8n, if one has the host.
    pub(crate) instance: Option<&'p Instance>,
    /// The route, if the path has one reading and lies inside.
    pub(crate) route: Option<Route<'h>>,
    /// The number of the webhook rule that applies, from 0, and the rule.
    pub(crate) rule: Option<(usize, &'p WebhookRule)>,
}

impl<'p, 'h> Place<'p, 'h> {
    /// Reads the path as the decision does.
    pub(crate) fn of(policy: &'p Policy, head: &'h RequestHead) -> Self {
        let instance = policy.instances.of(head);
        let route = instance.and_then(|instance| match instance.locate(head.path()) {
            Ok(Location::Inside(path)) => classify(&instance.prefixes, path).ok(),
            _ => None,
        });
        let rule = instance.zip(route.as_ref()).and_then(|(instance, route)| {
            let rules = &instance.webhooks;
            let RuleChoice::Rule(rule) = rules.choose(route, head.query()) else {
                return None;
            };
            rules
                .iter()
                .position(|other| std::ptr::eq(other, rule))
                .map(|number| (number, rule))
        });
        Self {
            instance,
            route,
            rule,
        }
    }

    /// The operation of n8n's public API, if it is one.
    pub(crate) fn operation(&self, head: &RequestHead) -> Option<&'static Operation> {
        self.operation_in(head, self.instance?.line)
    }

    fn operation_in(&self, head: &RequestHead, line: Line) -> Option<&'static Operation> {
        let route = self.route.as_ref()?;
        (route.surface == Surface::PublicApi)
            .then(|| Operation::find(head.method(), route, line))
            .flatten()
    }

    /// What is to be said of a call that is no operation of this n8n.
    fn unknown(&self, head: &RequestHead, line: Line) -> String {
        let mut others = Line::ALL.into_iter();
        let other = others.find_map(|line| Some((line, self.operation_in(head, line)?)));
        let elsewhere = other.map(|(line, operation)| {
            let (line, name) = (line.as_str(), operation.name());
            format!(" (n8n {line} has it: {name})")
        });
        format!(
            "unknown in n8n {}{}: only callers whose roles grant * may call it",
            line.as_str(),
            elsewhere.unwrap_or_default()
        )
    }

    /// The steps.
    pub(crate) fn steps(&self, head: &RequestHead, decision: &Decision) -> Vec<Step> {
        const SECTION: &str = "path";
        let Some(instance) = self.instance else {
            let step = Step::check(SECTION, "host", Some(&Reason::UnknownHost));
            let host = head.authority().map(String::from_utf8_lossy);
            return vec![step.finding(host)];
        };
        let mut steps = Vec::new();
        if let Some(name) = &instance.name {
            steps.push(Step::new(SECTION, "instance", Mark::Read).finding([name]));
        }
        if let Some(surface) = decision.record.surface {
            steps.push(Step::new(SECTION, "surface", Mark::Read).finding([surface.as_str()]));
        }
        let Some(route) = &self.route else {
            return steps;
        };
        if route.surface == Surface::PublicApi {
            let step = Step::new(SECTION, "operation", Mark::Read);
            steps.push(match self.operation(head) {
                Some(operation) => step.finding([operation.name()]).saying(format!(
                    "{} /api/v1{}, which needs {}",
                    operation.method,
                    operation.template(),
                    match operation.scopes {
                        [] => "no scope".to_owned(),
                        scopes => scopes
                            .iter()
                            .map(|scope| scope.name())
                            .collect::<Vec<_>>()
                            .join(" and "),
                    }
                )),
                None => step.saying(self.unknown(head, instance.line)),
            });
        }
        if route.trigger().is_some() {
            steps.extend(self.rules(instance, route, head));
        }
        steps
    }

    /// The webhook rules, up to the one that applies.
    fn rules(&self, instance: &Instance, route: &Route<'_>, head: &RequestHead) -> Vec<Step> {
        const SECTION: &str = "webhook rules";
        let step = |(number, rule): (usize, &WebhookRule), mark| {
            let name = format!("{} {}", number.saturating_add(1), rule.pattern);
            Step::new(SECTION, &name, mark)
        };
        let all = || instance.webhooks.iter().enumerate();
        let skipped = |numbered| step(numbered, Mark::Skipped).saying("does not match the path");
        match (self.rule, instance.webhooks.choose(route, head.query())) {
            (Some((number, rule)), _) => {
                let earlier = all().take(number).map(skipped);
                let auth = match &rule.auth {
                    WebhookAuth::Open => "open: n8n's own node decides",
                    WebhookAuth::Bearer => "bearer: it needs a token",
                    WebhookAuth::Certificate(_) => "certificate: it needs a client certificate",
                    WebhookAuth::Signature(_) => "signature: it needs a signature over the body",
                    WebhookAuth::Deny => "deny: every request is refused",
                };
                let own = step((number, rule), Mark::Applies).saying(auth);
                earlier.chain([own]).collect()
            }
            (None, RuleChoice::NoRule) => {
                let end = Step::check(SECTION, "no rule", Some(&Reason::WebhookNoRule));
                all().map(skipped).chain([end]).collect()
            }
            (None, RuleChoice::Ambiguous) => {
                vec![Step::check(
                    SECTION,
                    "one reading",
                    Some(&Reason::WebhookCase),
                )]
            }
            (None, _) => vec![Step::new(SECTION, "none", Mark::Read)
                .saying("no rule is about this endpoint: the request passes")],
        }
    }
}
