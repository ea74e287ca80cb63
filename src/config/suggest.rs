//! The known word that was probably meant.

use strsim::levenshtein;

/// The known word that is nearest to `word`, if it is near enough to be a typing error.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_ascii_lowercase();
    let tolerated = (word.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| {
            let distance = levenshtein(&word, &candidate.to_ascii_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_has_a_near_word_and_another_word_has_none() {
        let known = ["issuer", "audiences", "clients"];
        assert_eq!(nearest("audience", known), Some("audiences"));
        assert_eq!(nearest("Issuers", known), Some("issuer"));
        assert_eq!(nearest("secret", known), None);
    }
}
