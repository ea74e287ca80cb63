//! Clients that a rule admits by their certificates.

use super::connection::ConnectionAttribute;
use super::possession::forwarded;
use super::{DecisionContext, Request};
use crate::policy::{CertificateNames, CertificateRule, ClientCertificates};
use crate::reply::Reason;

/// A client that a rule admits by its certificate. Only [`admitted`] makes one.
#[derive(Debug)]
pub struct CertifiedClient<'r> {
    /// The name by which the rule admits it.
    name: &'r str,
    /// The subject of its certificate.
    subject: Option<String>,
}

impl CertifiedClient<'_> {
    /// The name by which the rule admits it.
    pub const fn name(&self) -> &str {
        self.name
    }

    /// The subject of its certificate.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }
}

/// The client, if the rule admits it. The configuration says that Envoy or the proxy has verified its
/// certificate: the gate cannot see that.
pub(super) fn admitted<'r>(
    context: DecisionContext<'_>,
    request: Request<'_>,
    rule: &'r CertificateRule,
) -> Result<CertifiedClient<'r>, Reason> {
    let names = match &context.policy.client_certificates {
        Some(ClientCertificates::FromProxy(proxies)) => {
            let forwarded = forwarded(proxies, request).map_err(Reason::Possession)?;
            let forwarded = forwarded.unwrap_or_default();
            CertificateNames {
                subject: forwarded.subject,
                uris: forwarded.uris,
                dns: forwarded.dns,
            }
        }
        Some(ClientCertificates::InConnection) | None => of_connection(request, rule),
    };
    match rule.admits(&names) {
        Some(name) => Ok(CertifiedClient {
            name,
            subject: names.subject,
        }),
        None if names == CertificateNames::default() => Err(Reason::CertificateRequired),
        None => Err(Reason::CertificateNotAllowed),
    }
}

/// The names of the certificate of the connection. Those that the rule does not compare are not asked
/// for, but the subject is: n8n gets it.
fn of_connection(request: Request<'_>, rule: &CertificateRule) -> CertificateNames {
    let ask = |attribute| {
        let value = request.connection.attribute(attribute);
        value.filter(|value| !value.is_empty())
    };
    let listed = |is_asked: bool, attribute| {
        let name = is_asked.then(|| ask(attribute)).flatten();
        name.into_iter().collect()
    };
    CertificateNames {
        subject: ask(ConnectionAttribute::CertificateSubject),
        uris: listed(!rule.uris.is_empty(), ConnectionAttribute::CertificateUri),
        dns: listed(!rule.dns.is_empty(), ConnectionAttribute::CertificateDns),
    }
}
