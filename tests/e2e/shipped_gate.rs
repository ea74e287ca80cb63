//! The repository's own `envoy.yaml` between an upstream and a provider that a test scripts.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::gate::{key, now, AUDIENCE, KEY_ID};
use crate::support::envoy::{Envoy, Setup};
use crate::support::envoy_file::Ports;
use crate::support::http::Request;
use crate::support::ports;
use crate::support::recorder::Recorder;
use crate::support::scripted_provider::{ScriptedProvider, DISCOVERY};
use crate::support::server::Script;

/// The variables of the shipped file.
const VARIABLES: &str = "N8N_PROVISIONING_KEY, N8N_GATE_SEED";

/// The upstream key of the shipped file.
pub(crate) const MINTED: &str = "user: { per: client }";

/// The upstream key here: the recorder makes no API keys.
pub(crate) const STATIC: &str = "api_key: { env: N8N_KEY_APPLICATIONS }";

/// The variable of that key.
pub(crate) const STATIC_KEY: &str = "N8N_KEY_APPLICATIONS";

/// The shipped file between an upstream and a provider that match its settings.
pub(crate) struct ShippedGate {
    pub(crate) envoy: Envoy,
    pub(crate) recorder: Recorder,
    pub(crate) provider: ScriptedProvider,
    pub(crate) issuer: String,
}

impl ShippedGate {
    pub(crate) fn start(shape: impl FnOnce(Setup) -> Setup) -> Self {
        let recorder = Recorder::start().unwrap();
        let upstream = recorder.port();
        Self::between(recorder, upstream, provider(), shape)
    }

    /// Starts it with keys that come late, so that requests wait.
    pub(crate) fn waiting(discovery: impl FnOnce(&ScriptedProvider) -> Script) -> Self {
        let (recorder, provider) = (Recorder::start().unwrap(), provider());
        provider.script(DISCOVERY, discovery(&provider));
        let upstream = recorder.port();
        Self::between(recorder, upstream, provider, |setup| {
            let cluster = "                                cluster: provider\n";
            let patient =
                format!("{cluster}                                keys: {{ timeout: 30s }}\n");
            setup.edited(cluster, &patient)
        })
    }

    pub(crate) fn between(
        recorder: Recorder,
        upstream: u16,
        provider: ScriptedProvider,
        shape: impl FnOnce(Setup) -> Setup,
    ) -> Self {
        let ports = Ports {
            gate: ports::free().unwrap(),
            admin: ports::free().unwrap(),
            n8n: upstream,
            provider: provider.port(),
        };
        let setup = Setup::shipped(ports)
            .secret("N8N_PROVISIONING_KEY", "key-for-provisioning")
            .secret("N8N_GATE_SEED", "a-seed-of-enough-characters")
            .secret(STATIC_KEY, "key-of-the-applications")
            .edited(VARIABLES, &format!("{VARIABLES}, {STATIC_KEY}"))
            .edited(MINTED, STATIC);
        Self {
            envoy: shape(setup).start().unwrap(),
            recorder,
            issuer: format!("http://127.0.0.1:{}", provider.port()),
            provider,
        }
    }

    /// A good token of this client with these roles.
    pub(crate) fn token(&self, client: &str, roles: &[&str]) -> String {
        let claims = json!({
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": client,
            "client_id": client,
            "roles": roles,
            "iat": now(),
            "exp": now() + 300,
        });
        let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": KEY_ID});
        key().sign(&header, &claims)
    }

    pub(crate) fn status(&self, request: &Request) -> u16 {
        request.send(self.envoy.port()).unwrap().status
    }

    /// Sends the bytes on this number of connections, which stay open.
    pub(crate) fn hold(&self, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
        (0..count)
            .map(|_| {
                let gate = (Ipv4Addr::LOCALHOST, self.envoy.port());
                let mut stream = TcpStream::connect(gate).unwrap();
                stream.write_all(bytes).unwrap();
                stream
            })
            .collect()
    }

    /// Waits until a statistic of Envoy has this value.
    pub(crate) fn wait_for(&self, stat: &str, count: u64) {
        for _ in 0..600 {
            if self.stat(stat) == count {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("{stat} is {}, not {count}", self.stat(stat));
    }

    /// One statistic of Envoy.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        let page = self.envoy.admin_page(&format!("/stats?filter=^{name}$"));
        let page = page.unwrap();
        page.trim().rsplit(' ').next().unwrap().parse().unwrap()
    }
}

/// A provider whose issuer is its own address.
pub(crate) fn provider() -> ScriptedProvider {
    ScriptedProvider::start_at_own_address(&[key().jwk(KEY_ID)]).unwrap()
}
