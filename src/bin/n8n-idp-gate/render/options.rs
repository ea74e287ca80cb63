//! What a configuration does not say.

/// The address, the names and the image around a configuration.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The host that clients call. Hosts in the configuration take its place.
    #[arg(long, default_value = "n8n.example.com", value_parser = host)]
    pub(crate) host: String,
    /// Host and port of n8n. Default: 127.0.0.1:5678 for envoy, n8n:5678 for compose, otherwise the
    /// service n8n in the namespace n8n. With several instances: INSTANCE=HOST:PORT for each of them.
    #[arg(long, value_name = "ADDRESS", value_parser = of_instance)]
    pub(crate) n8n: Vec<OfInstance>,
    /// The name of Istio's gateway: of its Deployment, its label `istio` and its service account.
    #[arg(long, default_value = "n8n-ingress", value_parser = name)]
    pub(crate) gateway: String,
    /// The namespace of Istio's gateway. For Envoy Gateway everything is in the namespace of n8n, and in this one
    /// if several instances are in several.
    #[arg(long, default_value = "n8n-ingress", value_parser = name)]
    pub(crate) namespace: String,
    /// The `GatewayClass` of Envoy Gateway.
    #[arg(long, default_value = "envoy", value_parser = name)]
    pub(crate) gateway_class: String,
    /// The Secret with the certificate of the host, or of all hosts.
    #[arg(long, default_value = "n8n-example-com", value_parser = name)]
    pub(crate) certificate: String,
    /// The Secret whose keys are the environment variables of the gate.
    #[arg(long, default_value = "n8n-api-keys", value_parser = name)]
    pub(crate) secret: String,
    /// The image of the module, without a scheme.
    #[arg(long, default_value = "registry.example.com/platform/n8n-idp-gate:0.1.0", value_parser = image)]
    pub(crate) image: String,
    /// The SHA-256 digest of the image in hex. The zeros match no image, so that nothing passes.
    #[arg(
        long,
        default_value = "0000000000000000000000000000000000000000000000000000000000000000",
        value_parser = digest
    )]
    pub(crate) sha256: String,
    /// The file of the module, for an Envoy that runs by itself.
    #[arg(long, default_value = "target/n8n-idp-gate.wasm")]
    pub(crate) module: String,
    /// Where an Envoy that runs by itself listens.
    #[arg(long, default_value = "127.0.0.1:8080", value_parser = address)]
    pub(crate) listen: (String, u16),
    /// The certificates that the proxy trusts, as it finds them.
    #[arg(long, default_value = "/etc/ssl/certs/ca-certificates.crt")]
    pub(crate) ca: String,
    /// Where a provider with `jwks_cluster` has its key set, if no `jwks_uri` says it: PROVIDER=HOST.
    #[arg(long, value_parser = of_provider)]
    pub(crate) key_host: Vec<(String, String)>,
}

/// The address of the n8n of an instance, or of the only one.
#[derive(Clone, Debug)]
pub(crate) struct OfInstance {
    pub(crate) instance: Option<String>,
    pub(crate) address: (String, u16),
}

fn of_instance(text: &str) -> Result<OfInstance, String> {
    let (instance, at) = match text.split_once('=') {
        Some((instance, at)) => (Some(instance.to_owned()), at),
        None => (None, text),
    };
    Ok(OfInstance {
        instance,
        address: address(at)?,
    })
}

/// The name of an object of Kubernetes (RFC 1123).
fn name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(is_plain)
        && !text.starts_with('-')
        && !text.ends_with('-');
    let problem = "a name has at most 63 lower-case letters, digits and hyphens";
    is_name
        .then(|| text.to_owned())
        .ok_or_else(|| problem.to_owned())
}

fn host(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
    };
    let is_host = text.split('.').all(|label| !label.is_empty()) && text.bytes().all(is_plain);
    let problem = "a host is lower-case labels with dots between them, without a port";
    is_host
        .then(|| text.to_owned())
        .ok_or_else(|| problem.to_owned())
}

fn address(text: &str) -> Result<(String, u16), String> {
    let problem = || "an address is HOST:PORT".to_owned();
    let (name, port) = text.rsplit_once(':').ok_or_else(problem)?;
    let port = port.parse().map_err(|_| problem())?;
    Ok((host(name)?, port))
}

/// What is part of a reference, and of YAML without quotes.
fn image(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/@".contains(&byte);
    let is_image = !text.is_empty() && text.bytes().all(is_plain) && !text.contains("://");
    let problem = "an image is REGISTRY/PATH:TAG, without a scheme";
    is_image
        .then(|| text.to_owned())
        .ok_or_else(|| problem.to_owned())
}

fn digest(text: &str) -> Result<String, String> {
    let text = text.strip_prefix("sha256:").unwrap_or(text);
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_digest = text.len() == 64 && text.bytes().all(is_hex);
    let problem = "a digest has 64 lower-case hex digits";
    is_digest
        .then(|| text.to_owned())
        .ok_or_else(|| problem.to_owned())
}

fn of_provider(text: &str) -> Result<(String, String), String> {
    let (provider, at) = text.split_once('=').ok_or("write PROVIDER=HOST")?;
    Ok((provider.to_owned(), host(at)?))
}
