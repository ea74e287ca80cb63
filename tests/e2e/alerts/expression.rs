//! The part of Prometheus' language that the alerts use, evaluated on two scrapes. The time between
//! the scrapes is the range of the expression.
//!
//! `increase(...)` and `offset` work as in Prometheus: a series that is not in the first scrape has
//! no increase, however large it is in the second.

use std::collections::BTreeMap;

/// The value of each series of one scrape.
pub(super) type Scrape = BTreeMap<Series, f64>;

/// A name and its labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
}

/// Reads the text format of Prometheus.
pub(super) fn scrape(page: &str) -> Scrape {
    page.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, value)| {
            let (name, labels) = named(series);
            let series = Series {
                name: name.to_owned(),
                labels: pairs(labels).collect(),
            };
            (series, value.parse().unwrap())
        })
        .collect()
}

/// The series for which the expression holds.
pub(super) fn holds(expression: &str, before: &Scrape, after: &Scrape) -> Vec<Series> {
    let words: Vec<&str> = expression.split_whitespace().collect();
    let text = words.join(" ");
    text.split(" or ")
        .flat_map(|part| match part.split_once(" unless ") {
            Some((wanted, known)) => {
                let (known, _) = known.split_once(" offset ").unwrap();
                let known = selected(known, before);
                let mut found = compared(wanted, before, after);
                found.retain(|series| !known.contains_key(series));
                found
            }
            None => compared(part, before, after),
        })
        .collect()
}

/// `vector`, `vector > number`, `vector < number` or `vector == 0`.
fn compared(text: &str, before: &Scrape, after: &Scrape) -> Vec<Series> {
    let limit = |number: &str| -> f64 { number.parse().unwrap() };
    if let Some(vector) = text.strip_suffix(" == 0") {
        let values = selected(vector, after).into_iter();
        return values
            .filter(|(_, value)| *value == 0.0)
            .map(|(series, _)| series)
            .collect();
    }
    let (vector, least, most) = match (text.split_once(" > "), text.split_once(" < ")) {
        (Some((vector, number)), _) => (vector, limit(number), f64::INFINITY),
        (_, Some((vector, number))) => (vector, f64::NEG_INFINITY, limit(number)),
        _ => (text, f64::NEG_INFINITY, f64::INFINITY),
    };
    let values = match vector.strip_prefix("increase(") {
        Some(rest) => {
            let (selector, _) = rest.split_once('[').unwrap();
            assert!(rest.ends_with("m])"), "{rest}");
            let earlier = selected(selector, before);
            selected(selector, after)
                .into_iter()
                .filter_map(|(series, value)| Some((series.clone(), value - earlier.get(&series)?)))
                .collect()
        }
        None => selected(vector, after),
    };
    values
        .into_iter()
        .filter(|(_, value)| *value > least && *value < most)
        .map(|(series, _)| series)
        .collect()
}

/// The series that a selector matches.
fn selected(selector: &str, scrape: &Scrape) -> Scrape {
    let (name, matchers) = named(selector);
    let fits = |series: &Series| {
        series.name == name
            && pairs(matchers).all(|(label, wanted)| {
                let value = series.labels.get(label.trim_end_matches('~'));
                let one_of = label.ends_with('~');
                value.is_some_and(|value| {
                    *value == wanted || one_of && wanted.split('|').any(|wanted| wanted == value)
                })
            })
    };
    let fitting = scrape.iter().filter(|(series, _)| fits(series));
    fitting
        .map(|(series, value)| (series.clone(), *value))
        .collect()
}

/// The text before the braces, and the text in them.
fn named(text: &str) -> (&str, &str) {
    let (name, rest) = text.split_once('{').unwrap_or((text, ""));
    (name, rest.trim_end_matches('}'))
}

/// The pairs of `a="b",c="d"`. With the matcher `=~`, the label begins with `~`.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split_inclusive("\",").filter_map(|pair| {
        let (label, value) = pair.split_once('=')?;
        let is_pattern = value.starts_with('~');
        let value = value.trim_start_matches('~').trim_end_matches(',');
        let label = if is_pattern {
            format!("{label}~")
        } else {
            label.to_owned()
        };
        Some((label, value.trim_matches('"').to_owned()))
    })
}

#[test]
fn expressions_give_the_results_of_prometheus() {
    let before = scrape("# TYPE a counter\na{x=\"1\"} 2\na{x=\"2\"} 5\nb{} 1\n");
    let after = scrape("a{x=\"1\"} 4\na{x=\"2\"} 5\na{x=\"3\"} 9\nb{} 3\nd{x=\"4\"} 0\n");
    let found = |expression: &str| -> Vec<String> {
        let found = holds(expression, &before, &after);
        let label = |series: &Series| series.labels.get("x").cloned().unwrap_or_default();
        found.iter().map(label).collect()
    };
    assert_eq!(found("increase(a[5m]) > 0"), ["1"]);
    assert_eq!(found("increase(a[5m]) > 2"), [""; 0]);
    assert_eq!(found("a unless a offset 5m"), ["3"]);
    assert_eq!(found("a{x=\"1\"} unless a offset 5m"), [""; 0]);
    assert_eq!(
        found("increase(a[5m]) > 0\n or a unless a offset 5m"),
        ["1", "3"]
    );
    assert_eq!(found("a{x=~\"2|3\"} > 4"), ["2", "3"]);
    assert_eq!(found("a{x=\"2|3\"} > 4"), [""; 0]);
    assert_eq!(found("b > 2"), [""]);
    assert_eq!(found("b > 3"), [""; 0]);
    assert_eq!(found("a < 5"), ["1"]);
    assert_eq!(found("b < 3"), [""; 0]);
    assert_eq!(found("c > 0"), [""; 0]);
    assert_eq!(found("d == 0"), ["4"]);
    assert_eq!(found("b == 0"), [""; 0]);
}
