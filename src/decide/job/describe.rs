//! Showing n8n's own description of its public API with bearer tokens.

use std::sync::Arc;
use std::time::Duration;

use super::progress::{JobEnd, JobResult, Progress};
use crate::facts::{CallFault, CallRequest, CallResponse};
use crate::http::Endpoint;
use crate::n8n::description::{with_bearer, DescriptionForm, MAX_DESCRIPTION};
use crate::policy::{BearerInDescription, InstanceId};
use crate::reply::LocalReply;

/// How long n8n may take. It reads a file, or makes the page when it is first asked for it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest media type that is passed on.
const MAX_TYPE: usize = 100;

/// One description, read from n8n and shown with bearer tokens.
#[derive(Clone, Debug)]
pub struct Describe {
    key: DescriptionKey,
    shown: Arc<BearerInDescription>,
    path: String,
}

/// What a description depends on beside what n8n sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptionKey {
    /// The n8n.
    pub instance: InstanceId,
    /// The form.
    pub form: DescriptionForm,
    /// Where clients get tokens.
    pub token_endpoints: Vec<String>,
}

impl Describe {
    pub(in crate::decide) const fn new(
        key: DescriptionKey,
        shown: Arc<BearerInDescription>,
        path: String,
    ) -> Self {
        Self { key, shown, path }
    }

    /// What it depends on.
    pub const fn key(&self) -> &DescriptionKey {
        &self.key
    }

    /// The call has no credential, no condition and no range: what is compared or cut is what the gate
    /// shows.
    pub(super) fn next(&self) -> Progress {
        let endpoint = Endpoint {
            path: self.path.clone(),
            ..self.shown.server.clone()
        };
        Progress::Call(CallRequest {
            most: MAX_DESCRIPTION,
            ..CallRequest::get(endpoint, TIMEOUT)
        })
    }

    pub(super) fn read(&self, response: CallResponse) -> Progress {
        let result = match self.shown(response) {
            Ok(reply) => JobResult::Reply(reply),
            Err(why) => JobResult::Otherwise(why),
        };
        Progress::Done(JobEnd {
            result,
            is_session_refused: false,
        })
    }

    fn shown(&self, response: CallResponse) -> Result<LocalReply, String> {
        let media_type = match &response {
            CallResponse::Response { headers, .. } => headers.joined("content-type"),
            CallResponse::NoResponse | CallResponse::NotDispatched => None,
        };
        let document = response.document_up_to(MAX_DESCRIPTION, &[200]);
        let document = document.map_err(|fault| match fault {
            CallFault::TooLarge => "it is larger than 2 MiB".to_owned(),
            fault => fault.to_string(),
        })?;
        let text = std::str::from_utf8(&document).map_err(|_| "it is not UTF-8".to_owned())?;
        let body = with_bearer(self.key.form, text, &self.key.token_endpoints);
        let body = body.ok_or_else(|| "it is of a form that is not known".to_owned())?;
        let media_type = media_type.and_then(|value| String::from_utf8(value).ok());
        let media_type = media_type.filter(|value| {
            let is_shown = |byte: u8| matches!(byte, b' '..=b'~');
            value.len() <= MAX_TYPE && value.bytes().all(is_shown)
        });
        let mut headers = vec![
            // Without a validator nothing could be revalidated. Those of n8n are of another document.
            ("cache-control", "no-store".into()),
            ("x-content-type-options", "nosniff".into()),
        ];
        headers.extend(media_type.map(|value| ("content-type", value.into())));
        Ok(LocalReply {
            status: 200,
            headers,
            cookies: Vec::new(),
            body,
        })
    }
}
