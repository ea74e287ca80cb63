//! The figure of the README: requests a second as bars.

use std::fmt::Write as _;

use crate::contestants::{chain, traffic};
use crate::figures::{median, Turns};

const LEFT: f64 = 210.0;
const WIDEST: f64 = 380.0;
const BAR: f64 = 18.0;

/// The contestants of the figure, group by group.
const GROUPS: [(&str, &str, [&str; 3]); 3] = [
    (
        "the same token again and again",
        traffic::REPEATED,
        [chain::GATE, chain::NATIVE_CACHED, chain::NATIVE],
    ),
    (
        "each token once (RS256)",
        traffic::UNIQUE,
        [chain::GATE, chain::NATIVE_CACHED, chain::NATIVE],
    ),
    (
        "forged tokens, refused",
        traffic::FORGED,
        [chain::GATE, chain::NATIVE_CACHED, chain::NATIVE],
    ),
];

/// An SVG, if all of its contestants were measured.
pub(crate) fn svg(turns: &Turns) -> Option<String> {
    let mut bars = Vec::new();
    for (title, traffic, chains) in GROUPS {
        for (at, chain) in chains.into_iter().enumerate() {
            let rate = median(turns, &format!("{chain}: {traffic}"), |sample| sample.rate)?;
            bars.push(((at == 0).then_some(title), chain, rate));
        }
    }
    let greatest = bars.iter().map(|(_, _, rate)| *rate).fold(1.0, f64::max);
    let mut body = String::new();
    let mut top = 34.0;
    for (title, chain, rate) in bars {
        if let Some(title) = title {
            top += 12.0;
            let _ = writeln!(
                body,
                r#"<text x="10" y="{:.0}" font-weight="bold">{title}</text>"#,
                top + 13.0
            );
            top += BAR + 4.0;
        }
        let width = WIDEST * rate / greatest;
        let base = top + 13.0;
        let colour = if chain == chain::GATE {
            "#ea4b71"
        } else {
            "#9aa5b1"
        };
        let _ = writeln!(
            body,
            r#"<text x="{:.0}" y="{base:.0}" text-anchor="end">{chain}</text>"#,
            LEFT - 8.0
        );
        let _ = writeln!(
            body,
            r#"<rect x="{LEFT:.0}" y="{top:.0}" width="{width:.1}" height="{BAR:.0}" fill="{colour}"/>"#
        );
        let _ = writeln!(
            body,
            r#"<text x="{:.1}" y="{base:.0}">{rate:.0}</text>"#,
            LEFT + width + 6.0
        );
        top += BAR + 4.0;
    }
    let height = top + 10.0;
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 {height:.0}" width="660" height="{height:.0}" font-family="sans-serif" font-size="13" fill="#222">
<rect width="660" height="{height:.0}" fill="#fff"/>
<text x="10" y="24" font-size="15">Requests a second on one core, medians</text>
{body}</svg>
"##
    ))
}
