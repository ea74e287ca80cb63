//! Words that the project does not use, as the glossary lists them.

use super::repository::{files, File};

/// What the scan reads: files, and folders with all their files.
const ROOTS: [&str; 16] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "deploy/",
    "docs/README.md",
    "docs/comparison.md",
    "docs/adr/",
    "docs/glossary.md",
    "docs/guides/",
    "docs/reference/",
    "envoy.yaml",
    "fuzz/",
    "scripts/",
    "src/",
    "tests/",
];

/// The kinds of files with prose in them.
const ENDINGS: [&str; 8] = ["java", "json", "md", "mjs", "rs", "sh", "snap", "yaml"];

/// This file, which has to name the words.
const OWN: &str = "tests/deploy/words.rs";

const GLOSSARY: &str = "docs/glossary.md";

/// The section of the glossary that lists the words.
const LIST: &str = "\n## Words that the project does not use\n";

/// Each word in lower case, and what to write instead.
const WORDS: [(&[&str], &str); 9] = [
    (&["whoever"], "any client, every caller"),
    (&["anybody"], "any client, an attacker"),
    (&["everybody"], "every caller, each worker"),
    (&["nobody"], "no caller, no client, no provider"),
    (&["somebody"], "a caller, another client, a person"),
    (&["stranger"], "an attacker, another client"),
    (&["strangers"], "attackers, other clients"),
    (&["lest"], "because, so that … not"),
    (&["word", "of"], "the response of the provider"),
];

/// The ruled-out words in a text, each with its line. They are found in identifiers and across the
/// ends of lines too.
fn found(text: &str) -> Vec<(usize, &'static [&'static str], &'static str)> {
    let words: Vec<(usize, String)> = text
        .lines()
        .enumerate()
        .flat_map(|(index, line)| {
            line.split(|part: char| !part.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(move |word| (index + 1, word.to_lowercase()))
        })
        .collect();
    let mut hits = Vec::new();
    for start in 0..words.len() {
        for (banned, instead) in WORDS {
            let here = words[start..].iter().map(|(_, word)| word.as_str());
            if here.take(banned.len()).eq(banned.iter().copied()) {
                hits.push((words[start].0, banned, instead));
            }
        }
    }
    hits
}

fn is_read(file: &File) -> bool {
    file.name != OWN && ROOTS.iter().any(|root| file.name.starts_with(root))
}

#[test]
fn no_text_has_a_word_that_the_glossary_rules_out() {
    let mut faults = Vec::new();
    let mut read = 0;
    for file in files(&ENDINGS).into_iter().filter(is_read) {
        let text = if file.name == GLOSSARY {
            file.text.split(LIST).next().unwrap()
        } else {
            &file.text
        };
        for (line, banned, instead) in found(text) {
            let banned = banned.join(" ");
            faults.push(format!(
                "{}:{line}: \"{banned}\": write: {instead}",
                file.name
            ));
        }
        read += 1;
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    assert!(read > 50, "{read}");
}

#[test]
fn every_root_leads_to_a_file() {
    let files = files(&ENDINGS);
    for root in ROOTS {
        let leads = files.iter().any(|file| file.name.starts_with(root));
        assert!(leads, "{root}");
    }
}

#[test]
fn the_glossary_lists_every_word_of_the_scan() {
    let files = files(&["md"]);
    let glossary = files.iter().find(|file| file.name == GLOSSARY).unwrap();
    let listed: Vec<_> = found(glossary.text.split(LIST).nth(1).unwrap())
        .into_iter()
        .map(|(_, banned, _)| banned)
        .collect();
    for (banned, _) in WORDS {
        let one = banned[0].trim_end_matches('s');
        assert!(listed.iter().any(|listed| listed[0] == one), "{banned:?}");
    }
}

#[test]
fn words_are_found_in_every_case_in_identifiers_and_across_lines_and_parts_of_words_are_not() {
    let text = "Nobody's key.\n// the word\n// of it, lest\n`is_nobody_at` the password of\nWordOf";
    let hits: Vec<(usize, String)> = found(text)
        .into_iter()
        .map(|(line, banned, _)| (line, banned.join(" ")))
        .collect();
    let expected = [(1, "nobody"), (2, "word of"), (3, "lest"), (4, "nobody")];
    assert_eq!(
        hits,
        expected.map(|(line, banned)| (line, banned.to_owned()))
    );
}
