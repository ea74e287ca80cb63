//! How the deliveries of a sender are checked.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;

use super::choices::{SecretEncoding, SenderWord};
use super::environment::Environment;
use super::field::{Field, Reported};
use super::field_path::FieldPath;
use super::raw::RawSignature;
use super::syntax::Text;
use crate::policy::SignatureRule;
use crate::secret::Secret;
use crate::webhook_signature::{
    Challenge, Hash, HmacScheme, KeyFault, Part, Scheme, Sender, SignatureKey, Template, Verifier,
    Written,
};

/// The fewest bytes of a secret. An attacker who sees one delivery can try secrets without asking the
/// gate.
const MIN_SECRET: usize = 16;

/// The most secrets of a rule. Each costs an HMAC over the body of a forged delivery.
const MAX_SECRETS: usize = 8;

/// How deliveries are checked. `None`: something is wrong, and was reported.
pub(super) fn signature(
    field: Field<RawSignature>,
    environment: &dyn Environment,
) -> Option<SignatureRule> {
    let raw = field.value?;
    let sender = raw.sender.value.as_ref()?.0;
    let secrets = secrets(&raw, sender, environment);
    let verify_token = raw.verify_token.value.as_ref();
    let verify_token = verify_token.map(|name| {
        let path = &raw.verify_token.path;
        name.look_up_text(environment, path)
    });
    let scheme = scheme(&raw, sender, secrets.as_deref());
    let origin = origin(&raw, scheme.as_ref());
    let challenge = match (sender, verify_token) {
        (SenderWord::Named(Sender::Zoom), _) => Challenge::Zoom,
        (SenderWord::Named(Sender::Meta), Some(token)) => {
            Challenge::Meta(SignatureKey::of_text(token?.expose()))
        }
        _ if raw.verify_token.given => return None,
        _ => Challenge::None,
    };
    let name = match raw.name.value {
        Some(name) => name.text,
        None if raw.name.given => return None,
        None => sender.as_str().to_owned(),
    };
    let secrets = secrets?;
    let keys = secrets.iter().map(|(_, key)| key.clone()).collect();
    let secrets = secrets
        .into_iter()
        // A public key is no secret from which others can be derived.
        .filter(|(_, key)| key.secret_length().is_some())
        .map(|(secret, _)| secret);
    Some(SignatureRule {
        name: name.into(),
        sender: sender.as_str(),
        verifier: Verifier {
            scheme: scheme?,
            keys,
            tolerance: raw.tolerance.value?.0,
            origin: origin?,
            challenge,
        },
        secrets: secrets.collect(),
        max_body: raw.max_body.value?.0,
        replay: raw.replay.value?.0,
    })
}

/// The secrets with their keys.
fn secrets(
    raw: &RawSignature,
    sender: SenderWord,
    environment: &dyn Environment,
) -> Option<Vec<(Secret, SignatureKey)>> {
    let listed = &raw.secrets.value.as_ref()?.0;
    if listed.len() > MAX_SECRETS {
        let problem = format!("has more than {MAX_SECRETS} secrets");
        raw.secrets
            .error(problem, "remove those that the sender no longer uses");
        return None;
    }
    let mut all: Vec<(Secret, SignatureKey)> = Vec::new();
    let mut is_whole = true;
    for item in listed {
        let secret = item.value.look_up_text(environment, &item.path);
        let found = secret.and_then(|secret| {
            let key = key(raw, sender, &secret, &item.path)?;
            Some((secret, key))
        });
        let Some(found) = found else {
            is_whole = false;
            continue;
        };
        if all.iter().any(|(other, _)| *other == found.0) {
            item.path
                .error("is the same secret as one above", "remove one of them");
        }
        let is_standard = |secret: &Secret| sender.decodes(secret.expose());
        if all
            .first()
            .is_some_and(|(first, _)| is_standard(first) != is_standard(&found.0))
        {
            item.path.error(
                "is of another kind than the first secret",
                "list signing tokens (whsec_…) or secret tokens, not both",
            );
        }
        all.push(found);
    }
    is_whole.then_some(all)
}

fn key(
    raw: &RawSignature,
    sender: SenderWord,
    secret: &Secret,
    path: &FieldPath,
) -> Option<SignatureKey> {
    let path = path.member("env");
    let text = secret.expose();
    let key = match (sender, raw.secret_encoding.value.as_ref()?.0) {
        (SenderWord::Named(named), _) if named.decodes_secrets(text) => {
            SignatureKey::of_standard_webhooks(text).map_err(|fault| match fault {
                KeyFault::NotBase64 => "holds no secret of Standard Webhooks: base64 after whsec_",
                KeyFault::NotAPublicKey => "holds no public key of Ed25519 after whpk_",
                KeyFault::PrivateKey => "holds a private key, which only the sender may have",
            })
        }
        (SenderWord::Named(_), _) | (_, SecretEncoding::Text) => Ok(SignatureKey::of_text(text)),
        (SenderWord::Hmac, SecretEncoding::Base64) => STANDARD
            .decode(text)
            .map(|bytes| SignatureKey::Shared(bytes.into()))
            .map_err(|_| "holds no base64"),
    };
    match key {
        Ok(key)
            if key
                .secret_length()
                .is_none_or(|length| length >= MIN_SECRET) =>
        {
            Some(key)
        }
        Ok(_) => {
            let problem = format!("holds a secret of fewer than {MIN_SECRET} bytes");
            path.error(
                problem,
                "let the sender make a random one: a short one can be guessed from one delivery",
            );
            None
        }
        Err(problem) => {
            path.error(problem, "set it to the secret as the sender shows it");
            None
        }
    }
}

fn scheme(
    raw: &RawSignature,
    sender: SenderWord,
    secrets: Option<&[(Secret, SignatureKey)]>,
) -> Option<Scheme> {
    let hash = match &raw.hash.value {
        Some(hash) => Some(hash.0),
        None if raw.hash.given => return None,
        None => None,
    };
    match sender {
        SenderWord::Hmac => hmac(raw, hash.unwrap_or(Hash::Sha256)),
        SenderWord::Named(named) => {
            let (first, _) = secrets?.first()?;
            let scheme = named.scheme_for(first.expose());
            Some(match hash {
                Some(hash) => scheme.with_hash(hash),
                None => scheme,
            })
        }
    }
}

/// The text of a field that may be absent.
fn text<S>(field: &Field<Text<S>>) -> Result<Option<&str>, Reported> {
    match &field.value {
        Some(text) => Ok(Some(&text.text)),
        None if field.given => Err(Reported),
        None => Ok(None),
    }
}

fn hmac(raw: &RawSignature, hash: Hash) -> Option<Scheme> {
    let signed = text(&raw.signed).ok()?;
    let signed = Template::parse(signed.unwrap_or("{body}")).ok()?;
    let has_time = raw.timestamp_header.given || raw.timestamp_key.given;
    let check = |holds: bool, problem: &str, hint: &str| {
        if !holds {
            raw.signed.error(problem, hint);
        }
        holds
    };
    let is_sound = check(
        signed.has(&Part::Body),
        "does not have {body}: an attacker could write any body",
        "write what the sender signs, with {body} in it",
    ) & check(
        signed.has(&Part::Timestamp) == has_time,
        "has {timestamp} without a timestamp, or a timestamp without {timestamp}",
        "write timestamp_header or timestamp_key, and sign {timestamp}: one that is not signed proves nothing",
    ) & check(
        !signed.has(&Part::Id) || raw.id_header.given,
        "has {id} without id_header",
        "write the header of the delivery id",
    ) & check(
        !signed.has_id_without_borders(),
        "has {id} beside another part, without a text between them: bytes could move from one to the other",
        "write the text that the sender puts between them",
    );
    if signed.joins_url_and_body() {
        raw.signed.warn(
            "has the body right behind the URL: in a recorded delivery, bytes can move from one to the other",
            "if the sender signs so, give the rule one path without * and a long tolerance",
        );
    }
    let signature_key = text(&raw.signature_key).ok()?;
    let prefix = text(&raw.prefix).ok()?.unwrap_or_default();
    let timestamp = text(&raw.timestamp_key).ok()?;
    let scheme = HmacScheme {
        header: text(&raw.header).ok()??.to_ascii_lowercase(),
        written: match signature_key {
            Some(signature) => Written::InPairs {
                signature: signature.to_owned(),
                timestamp: timestamp.map(str::to_owned),
            },
            None => Written::AfterPrefix(prefix.to_owned()),
        },
        encoding: raw.encoding.value.as_ref()?.0,
        hash,
        signed,
        timestamp_header: text(&raw.timestamp_header)
            .ok()?
            .map(str::to_ascii_lowercase),
        time_format: raw.timestamp_format.value.as_ref()?.0,
        id_header: text(&raw.id_header).ok()?.map(str::to_ascii_lowercase),
    };
    is_sound.then(|| scheme.into())
}

/// What stands before the path in a URL that is signed.
fn origin(raw: &RawSignature, scheme: Option<&Scheme>) -> Option<String> {
    let url = raw.public_url.value.as_ref();
    if raw.public_url.given && url.is_none() {
        return None;
    }
    let origin = url.map(|url| url.text.trim_end_matches('/').to_owned());
    let scheme = scheme.filter(|_| !raw.public_url.path.has_errors());
    if let Some(scheme) = scheme {
        if scheme.signs_url() && origin.is_none() {
            raw.public_url.error(
                "is required: the sender signs the URL",
                "write scheme, host and port as the sender has them, such as https://n8n.example.com",
            );
        } else if !scheme.signs_url() && origin.is_some() {
            let hint = "remove it, or sign {url}";
            raw.public_url
                .error("has no effect: no URL is signed", hint);
        }
    }
    Some(origin.unwrap_or_default())
}
