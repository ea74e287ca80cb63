//! How bearer tokens are shown in n8n's own description of its public API.

use std::sync::Arc;

use super::defaults;
use super::field::{Field, Reported};
use super::raw::RawBearerInDescription;
use crate::http::Address;
use crate::policy::{BearerInDescription, Provisioning};

/// How they are shown, if they are. `n8n`: how the gate calls n8n for other purposes.
pub(super) fn bearer_in_description(
    field: Field<RawBearerInDescription>,
    n8n: &Result<Option<Provisioning>, Reported>,
) -> Result<Option<Arc<BearerInDescription>>, Reported> {
    let path = field.path.clone();
    let Some(raw) = field.value_or_error()? else {
        return Ok(None);
    };
    let uri = raw.uri.value_or_error()?.map(|uri| uri.text);
    let server = match (raw.cluster.value_or_error()?, n8n) {
        (Some(cluster), _) => {
            let uri = uri.as_deref().unwrap_or(defaults::N8N_URI);
            let address = Address::parse(uri).map_err(|_| Reported)?;
            address.endpoint(&cluster.text, "")
        }
        (None, Ok(Some(n8n))) => n8n.server.clone(),
        (None, Err(Reported)) => return Err(Reported),
        // The rules of the section have reported that.
        (None, _) if uri.is_some() => return Err(Reported),
        (None, Ok(None)) => {
            path.error(
                "names no cluster, and there is no n8n whose cluster could be used",
                "add cluster, with the name of the Envoy cluster of n8n",
            );
            return Err(Reported);
        }
    };
    let token_endpoints = raw.token_endpoints.value.ok_or(Reported)?;
    Ok(Some(Arc::new(BearerInDescription {
        server,
        token_endpoints,
    })))
}
