//! Where the certificates of clients are looked for.

use super::choices::CertificatesFrom;
use super::field::{Field, Reported};
use super::raw::RawClientCertificates;
use crate::http::Network;
use crate::policy::ClientCertificates;

/// Where they are looked for, if the configuration says so. `Err`: something is wrong, and was reported.
pub(super) fn client_certificates(
    raw: Field<RawClientCertificates>,
) -> Result<Option<ClientCertificates>, Reported> {
    let Some(raw) = raw.value_or_error()? else {
        return Ok(None);
    };
    let trusted = raw.trusted.value_or_error()?;
    let trusted = trusted.map(|list| list.0).unwrap_or_default().into_iter();
    let networks = trusted.filter_map(|text| Network::parse(&text.text));
    Ok(raw.from.value.map(|from| match from.0 {
        CertificatesFrom::Connection => ClientCertificates::InConnection,
        CertificatesFrom::Header => ClientCertificates::FromProxy(networks.collect()),
    }))
}
