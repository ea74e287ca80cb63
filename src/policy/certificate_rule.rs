//! Which clients a webhook admits by their certificates.

/// The names of a certificate that was verified: its authority is trusted, and the client has its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// The subject, as RFC 2253 writes it.
    pub subject: Option<String>,
    /// Alternative names that are URIs.
    pub uris: Vec<String>,
    /// Alternative names that are names of hosts.
    pub dns: Vec<String>,
}

/// Which certificates a rule admits. Each list that is not empty must have one of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRule {
    /// Subjects, compared exactly.
    pub subjects: Vec<String>,
    /// URIs, compared exactly.
    pub uris: Vec<String>,
    /// Names of hosts, compared without regard to case.
    pub dns: Vec<String>,
}

impl CertificateRule {
    /// The name by which the rule admits a certificate; `None`: it does not.
    pub fn admits(&self, names: &CertificateNames) -> Option<&str> {
        let subject = names.subject.as_slice();
        let exact = |own: &String, other: &String| own == other;
        let folded = |own: &String, other: &String| own.eq_ignore_ascii_case(other);
        let found = [
            found(&self.uris, &names.uris, exact),
            found(&self.dns, &names.dns, folded),
            found(&self.subjects, subject, exact),
        ];
        let mut admitting = None;
        for found in found {
            match found {
                Found::NotAsked => {}
                Found::Name(name) => admitting = admitting.or(Some(name)),
                Found::None => return None,
            }
        }
        admitting
    }
}

/// What one list of a rule finds.
enum Found<'r> {
    NotAsked,
    Name(&'r str),
    None,
}

fn found<'r>(
    own: &'r [String],
    names: &[String],
    is_equal: impl Fn(&String, &String) -> bool,
) -> Found<'r> {
    if own.is_empty() {
        return Found::NotAsked;
    }
    let mut own = own.iter();
    own.find(|own| names.iter().any(|name| is_equal(own, name)))
        .map_or(Found::None, |name| Found::Name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn rule(subjects: &[&str], uris: &[&str], dns: &[&str]) -> CertificateRule {
        CertificateRule {
            subjects: texts(subjects),
            uris: texts(uris),
            dns: texts(dns),
        }
    }

    #[test]
    fn each_list_of_a_rule_has_one_of_the_names() {
        let names = CertificateNames {
            subject: Some("CN=a,O=Acme".to_owned()),
            uris: texts(&["spiffe://a/x", "spiffe://a/y"]),
            dns: texts(&["A.example"]),
        };
        for (rule, expected) in [
            (
                rule(&["CN=b", "CN=a,O=Acme"], &[], &[]),
                Some("CN=a,O=Acme"),
            ),
            (rule(&[], &["spiffe://a/y"], &[]), Some("spiffe://a/y")),
            (rule(&[], &[], &["a.EXAMPLE"]), Some("a.EXAMPLE")),
            (
                rule(&["CN=a,O=Acme"], &["spiffe://a/y"], &[]),
                Some("spiffe://a/y"),
            ),
            (rule(&["CN=b"], &["spiffe://a/y"], &[]), None),
            (rule(&["CN=a"], &[], &[]), None),
            (rule(&["cn=a,o=acme"], &[], &[]), None),
            (rule(&[], &["spiffe://a"], &[]), None),
            (rule(&[], &["spiffe://A/x"], &[]), None),
            (rule(&[], &[], &["example"]), None),
            // A rule without a list, which no configuration makes, admits no client.
            (rule(&[], &[], &[]), None),
        ] {
            assert_eq!(rule.admits(&names), expected, "{rule:?}");
            assert_eq!(rule.admits(&CertificateNames::default()), None);
        }
    }
}
