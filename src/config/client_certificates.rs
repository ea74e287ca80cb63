//! Where the certificates of clients are looked for.

use super::choices::CertificatesFrom;
use super::field::Field;
use super::raw::RawClientCertificates;
use crate::http::Network;
use crate::policy::ClientCertificates;

/// Where they are looked for. `None`: something is wrong, and was reported.
pub(super) fn client_certificates(raw: Field<RawClientCertificates>) -> Option<ClientCertificates> {
    let Some(raw) = raw.value_or_error().ok()? else {
        return Some(ClientCertificates::default());
    };
    let trusted = raw.trusted.value_or_error().ok()?;
    match raw.from.value?.0 {
        CertificatesFrom::Connection => Some(ClientCertificates::InConnection),
        CertificatesFrom::Header => {
            let networks = trusted?.0.into_iter();
            let networks = networks.filter_map(|text| Network::parse(&text.text));
            Some(ClientCertificates::FromProxy(networks.collect()))
        }
    }
}
