//! An explanation for people.

use std::fmt::Write as _;

use n8n_idp_gate::formats::printable::printable;
use n8n_idp_gate::observe::audit_line;
use n8n_idp_gate::time::rfc3339;

use super::explanation::Explanation;
use super::headers::{Change, SECRET};
use super::outcome;
use super::shadow::{Compared, Shadowed};
use super::step::{prose, shown, Step};
use crate::judge::Case;

/// Writes an explanation as indented text, and after it that of a shadow.
pub(crate) fn text(
    case: &Case<'_>,
    explanation: &Explanation,
    shadow: Option<&(Case<'_>, Shadowed)>,
) -> String {
    let mut out = String::new();
    let line = |out: &mut String, text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    if let Some(unverified) = case.unverified {
        line(
            &mut out,
            "NOT VERIFIED: the token is made of claims that no provider signed.",
        );
        if !unverified.filled.is_empty() {
            let filled = unverified.filled.join(", ");
            line(
                &mut out,
                &format!("Filled in, because the claims lack it: {filled}."),
            );
        }
        line(&mut out, "");
    }
    let head = case.head;
    let host = head
        .authority()
        .map(String::from_utf8_lossy)
        .unwrap_or_default();
    line(
        &mut out,
        &format!(
            "{} {} on {} at {}",
            shown(&String::from_utf8_lossy(head.method())),
            shown(&String::from_utf8_lossy(head.path())),
            shown(&host),
            rfc3339::write(case.now).replace(".000Z", "Z"),
        ),
    );
    steps(&explanation.steps, &mut out);
    line(&mut out, "");
    decision(case, explanation, &mut out);
    if let Some((case, shadowed)) = shadow {
        line(&mut out, "");
        beside(case, explanation, shadowed, &mut out);
    }
    for note in &case.known.notes {
        line(&mut out, &format!("note: {note}"));
    }
    let _ = write!(
        out,
        "\naudit record\n  {}\n",
        audit_line(&explanation.decision, head, case.now)
    );
    out
}

fn steps<'s>(steps: impl IntoIterator<Item = &'s Step>, out: &mut String) {
    let mut section = "";
    for step in steps {
        if step.section != section {
            section = step.section;
            let _ = write!(out, "\n{section}\n");
        }
        let text = format!("  {:<4} {}", step.mark.sign(), step.line());
        out.push_str(text.trim_end());
        out.push('\n');
    }
}

/// The decision of a shadow, with the steps to it that are not those to the decision in force.
fn beside(case: &Case<'_>, in_force: &Explanation, shadowed: &Shadowed, out: &mut String) {
    let _ = writeln!(out, "shadow: {}", shadowed.result.sentence());
    let mut own = String::new();
    let all = shadowed.explanation.steps.iter();
    steps(all.filter(|step| !in_force.steps.contains(step)), &mut own);
    if shadowed.result != Compared::Same {
        own.push('\n');
        decision(case, &shadowed.explanation, &mut own);
    }
    for line in own.lines() {
        out.push_str(format!("  {line}").trim_end());
        out.push('\n');
    }
}

fn decision(case: &Case<'_>, explanation: &Explanation, out: &mut String) {
    let decision = &explanation.decision;
    let name = outcome::name(&decision.outcome);
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&format!("decision: {name}"));
    line(&format!("  {}", outcome::sentence(case, decision)));
    if let Some(reason) = explanation.reason() {
        let fault = reason.fault().map(|fault| format!(" ({})", shown(fault)));
        line(&format!(
            "  reason   {}{}",
            reason.as_str(),
            fault.unwrap_or_default()
        ));
        line(&format!("  meaning  {}", prose(reason.meaning())));
        line(&format!("  remedy   {}", prose(reason.remedy())));
        if let [_, ..] = reason.missing_scopes() {
            line(&format!("  missing  {}", reason.missing_scopes().join(" ")));
        }
        if let [_, ..] = reason.scopes_to_ask_for() {
            line(&format!(
                "  ask for  {}",
                shown(&reason.scopes_to_ask_for().join(" "))
            ));
        }
    }
    if let Some(hint) = decision.record.hint {
        line(&format!("  hint     {hint}"));
    }
    if let Some(reply) = outcome::reply(case, decision) {
        line("the client gets");
        line(&format!("  status {}", reply.status));
        for (name, value) in &reply.headers {
            line(&format!("  {name}: {}", printable(value, 1000)));
        }
        for _ in &reply.cookies {
            line(&format!("  set-cookie: {SECRET}"));
        }
        line(&format!("  {}", printable(&reply.body, 4000)));
    }
    if let Some(headers) = &explanation.headers {
        line("n8n sees");
        for header in headers {
            let value = header.value.as_deref().unwrap_or_default();
            let is_pseudo = header.name.starts_with(':') && header.change == Change::Kept;
            if !is_pseudo {
                let change = header.change.as_str();
                let colon = if header.value.is_some() { ": " } else { "" };
                line(&format!(
                    "  {change:<8}{}{colon}{value}",
                    shown(&header.name)
                ));
            }
        }
    }
}
