//! What the headers of a delivery claim. Nothing of it was verified.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;

use super::fault::SignatureFault;
use super::scheme::{Encoding, Layout, Naming, Scheme};
use super::template::Part;
use crate::formats::hex;
use crate::http::RequestHead;
use crate::time::UnixSeconds;

/// The longest header of a scheme, in bytes.
const MAX_HEADER: usize = 4096;

/// The most signatures of one delivery: a sender adds one for each secret while secrets are rotated.
/// Each costs a comparison, or an Ed25519 verification.
const MAX_SIGNATURES: usize = 16;

/// The longest delivery id, in bytes.
const MAX_ID: usize = 256;

/// What the headers of a delivery claim.
#[derive(Debug)]
pub(super) struct Claimed<'r> {
    /// The signatures, decoded. One good one is enough.
    pub(super) signatures: Vec<Claim>,
    /// The timestamp, as it is signed and as it is meant.
    pub(super) timestamp: Option<(&'r str, UnixSeconds)>,
    /// The delivery id.
    pub(super) id: Option<&'r str>,
}

/// One signature, or what stands for one.
pub(super) enum Claim {
    /// The code of an HMAC.
    Mac(Vec<u8>),
    /// An Ed25519 signature.
    Ed25519(Vec<u8>),
    /// The secret itself.
    Token(Vec<u8>),
}

/// Shows no value: it may be a secret.
impl std::fmt::Debug for Claim {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Mac(_) => "Mac",
            Self::Ed25519(_) => "Ed25519",
            Self::Token(_) => "Token",
        })
    }
}

impl Scheme {
    /// Reads what the headers claim.
    pub(super) fn read<'r>(&self, request: &'r RequestHead) -> Result<Claimed<'r>, SignatureFault> {
        let (naming, written) = self.signature_header(request)?;
        let (signatures, in_header) = self.signatures(written)?;
        let timestamp = match (&naming.timestamp, in_header) {
            (Some(name), _) => Some(required(request, name, "timestamp")?),
            (None, in_header) => in_header,
        };
        let timestamp = match (self.time_format, timestamp) {
            (None, _) => None,
            (Some(format), text) => {
                let text = text.ok_or(SignatureFault::Malformed("timestamp"))?;
                let time = format.read(text);
                Some((text, time.ok_or(SignatureFault::Malformed("timestamp"))?))
            }
        };
        Ok(Claimed {
            signatures,
            timestamp,
            id: self.id(request, naming)?,
        })
    }

    /// The one header with a signature.
    fn signature_header<'r>(
        &self,
        request: &'r RequestHead,
    ) -> Result<(&Naming, &'r str), SignatureFault> {
        let mut found = None;
        for naming in &self.namings {
            let Some(written) = single(request, &naming.signature, "signature")? else {
                continue;
            };
            if found.replace((naming, written)).is_some() {
                return Err(SignatureFault::Duplicate);
            }
        }
        found.ok_or(SignatureFault::Missing)
    }

    /// The signatures in their header, and the timestamp if it is there, too.
    fn signatures<'r>(
        &self,
        written: &'r str,
    ) -> Result<(Vec<Claim>, Option<&'r str>), SignatureFault> {
        const FAULT: SignatureFault = SignatureFault::Malformed("signature");
        let mut timestamp = None;
        let mut signatures = Vec::new();
        match &self.layout {
            Layout::Token => signatures.push(Claim::Token(written.as_bytes().to_vec())),
            Layout::One { prefix } => {
                let signature = written.strip_prefix(&**prefix).ok_or(FAULT)?;
                let is_word = prefix.ends_with(|last: char| last.is_ascii_alphanumeric());
                let blank = signature.strip_prefix(' ').filter(|_| is_word);
                let signature = blank.unwrap_or(signature);
                signatures.push(self.mac(signature).ok_or(FAULT)?);
            }
            Layout::Pairs {
                signature,
                timestamp: time,
            } => {
                for pair in written.split([',', ';']) {
                    let (name, value) = pair.trim_matches(' ').split_once('=').ok_or(FAULT)?;
                    if name == *signature {
                        signatures.push(self.mac(value).ok_or(FAULT)?);
                    } else if time.as_deref() == Some(name) && timestamp.replace(value).is_some() {
                        return Err(SignatureFault::Duplicate);
                    }
                }
            }
            Layout::Versioned => {
                for versioned in written.split(' ') {
                    let (version, value) = versioned.split_once(',').ok_or(FAULT)?;
                    match version {
                        "v1" => signatures.push(self.mac(value).ok_or(FAULT)?),
                        "v1a" => signatures.push(ed25519(value).ok_or(FAULT)?),
                        // A version to come. It proves nothing here.
                        _ => {}
                    }
                }
            }
        }
        // None, where the header has other versions only, is a downgrade.
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
            return Err(FAULT);
        }
        Ok((signatures, timestamp))
    }

    fn mac(&self, signature: &str) -> Option<Claim> {
        let decoded = match self.encoding {
            // In either case: the bytes are compared, and a delivery is remembered by what was signed.
            Encoding::Hex => hex::decoded(signature)?,
            Encoding::Base64 => STANDARD.decode(signature).ok()?,
        };
        (decoded.len() == self.hash.length()).then_some(Claim::Mac(decoded))
    }

    /// The delivery id. One that is signed has to be there. Without a dot: with one, the same bytes
    /// would be signed for another id and another timestamp.
    fn id<'r>(
        &self,
        request: &'r RequestHead,
        naming: &Naming,
    ) -> Result<Option<&'r str>, SignatureFault> {
        let border = self.signed.after_id().and_then(|text| text.chars().next());
        let has_border = |id: &str| border.is_some_and(|border| id.contains(border));
        let is_id = |id: &&str| id.len() <= MAX_ID && !id.contains(['.', ' ']) && !has_border(id);
        if self.signed.has(&Part::Id) {
            let name = naming.ids.first().map_or("", |name| name);
            let id = Some(required(request, name, "id")?).filter(is_id);
            return id.map(Some).ok_or(SignatureFault::Malformed("id"));
        }
        let mut present = naming.ids.iter();
        let found = present.find_map(|name| single(request, name, "id").ok().flatten());
        Ok(found.filter(|id| id.len() <= MAX_ID))
    }
}

fn required<'r>(
    request: &'r RequestHead,
    name: &str,
    part: &'static str,
) -> Result<&'r str, SignatureFault> {
    single(request, name, part)?.ok_or(SignatureFault::Malformed(part))
}

/// The one value of a header: visible text with blanks between it at most.
fn single<'r>(
    request: &'r RequestHead,
    name: &str,
    part: &'static str,
) -> Result<Option<&'r str>, SignatureFault> {
    let mut values = request
        .headers()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let Some((_, value)) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(SignatureFault::Duplicate);
    }
    let is_plain = !value.is_empty()
        && value.len() <= MAX_HEADER
        && value.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let text = std::str::from_utf8(value).ok().filter(|_| is_plain);
    text.map(Some).ok_or(SignatureFault::Malformed(part))
}

fn ed25519(signature: &str) -> Option<Claim> {
    let decoded = STANDARD.decode(signature).ok()?;
    (decoded.len() == ed25519_compact::Signature::BYTES).then_some(Claim::Ed25519(decoded))
}
