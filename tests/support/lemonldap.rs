//! `LemonLDAP::NG` in its own process: an OpenID provider with opaque access tokens. Its
//! introspection responses have neither audience nor token type.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{json, Value};
use tempfile::TempDir;

use super::http::{Request, Response};
use super::process::{Ending, Process};
use super::{installed, Outcome};

/// The client of the gate.
pub(crate) const ASKING_CLIENT: &str = "gate";

/// A running provider. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Lemonldap {
    process: Process,
    port: u16,
    directory: TempDir,
}

impl Lemonldap {
    /// Starts it on a loopback port, with its demonstration accounts (`dwho` is one).
    pub(crate) fn start(port: u16) -> Outcome<Self> {
        let home = installed::lemonldap()?;
        let directory = tempfile::tempdir()?;
        let application = configure(directory.path(), &home, port)?;
        let modules = fs::read_to_string(home.join("perl5.txt"))?;
        let modules: Vec<_> = modules.lines().map(|path| home.join(path)).collect();
        let libraries = ["x86_64", "aarch64"].map(|machine| {
            let path = format!("usr/lib/{machine}-linux-gnu");
            home.join(path)
        });
        let mut process = Process::start(
            "LemonLDAP::NG",
            Path::new("/usr/bin/perl"),
            &directory.path().join("log"),
            Ending::Kill,
            |command| {
                command
                    .env("PERL5LIB", joined(&modules))
                    .env("LD_LIBRARY_PATH", joined(&libraries))
                    .arg(home.join("usr/bin/plackup"))
                    .args(["-s", "HTTP::Server::PSGI", "-E", "deployment"])
                    .args(["--host", "127.0.0.1", "--port", &port.to_string()])
                    .arg(application);
            },
        )?;
        let document = Request::get("/.well-known/openid-configuration");
        process.wait_until(Duration::from_secs(60), |_| {
            let response = document.send(port);
            response.is_ok_and(|response| response.status == 200)
        })?;
        Ok(Self {
            process,
            port,
            directory,
        })
    }

    /// The issuer of its tokens.
    pub(crate) fn issuer(&self) -> String {
        issuer(self.port)
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// A token of the application `orders` by the client credentials grant (RFC 6749 §4.4).
    pub(crate) fn token(&self, scope: &str) -> Outcome<String> {
        let response = self.post(&format!("grant_type=client_credentials&scope={scope}"))?;
        response.member("access_token")
    }

    /// The access token and the refresh token of a person at `orders`.
    pub(crate) fn log_in(&self, person: &str) -> Outcome<[String; 2]> {
        let response = self.post(&format!(
            "grant_type=password&username={person}&password={person}&scope=openid+email"
        ))?;
        Ok([
            response.member("access_token")?,
            response.member("refresh_token")?,
        ])
    }

    /// Ends every session and its tokens, as an administrator can.
    pub(crate) fn end_sessions(&self) -> Outcome<()> {
        for entry in fs::read_dir(self.directory.path().join("sessions"))? {
            let path = entry?.path();
            if path.is_file() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn post(&self, form: &str) -> Outcome<Response> {
        let request = Request::new("POST", "/oauth2/token");
        let request = request.basic("orders", "secret-of-orders").form(form);
        request.send(self.port)
    }

    /// Its output.
    pub(crate) fn log_text(&self) -> String {
        self.process.log_text()
    }
}

fn issuer(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn joined(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    paths.join(":")
}

/// Writes the configuration, and the application that reads it.
fn configure(directory: &Path, home: &Path, port: u16) -> Outcome<PathBuf> {
    for folder in ["conf", "cache", "sessions/lock", "persistent/lock"] {
        fs::create_dir_all(directory.join(folder))?;
    }
    let shown = directory.display();
    fs::write(
        directory.join("conf/lmConf-1.json"),
        settings(directory, port).to_string(),
    )?;
    let cache = format!("{{ 'cache_root' => '{shown}/cache', 'namespace' => 'configuration' }}");
    let settings = [
        "[all]".to_owned(),
        "logLevel = notice".to_owned(),
        "[configuration]".to_owned(),
        "type = File".to_owned(),
        format!("dirName = {shown}/conf"),
        "localStorage = Cache::FileCache".to_owned(),
        format!("localStorageOptions = {cache}"),
        "[portal]".to_owned(),
        format!(
            "templateDir = {}/usr/share/lemonldap-ng/portal/templates",
            home.display()
        ),
        "languages = en\n".to_owned(),
    ];
    fs::write(directory.join("lemonldap-ng.ini"), settings.join("\n"))?;
    // CAPTCHA pictures for the log-in page would need another library, and no test uses them.
    let application = format!(
        "BEGIN {{ $INC{{'GD/SecurityImage.pm'}} = 1 }}\n\
         use Lemonldap::NG::Portal::Main;\n\
         Lemonldap::NG::Portal::Main->run({{\n\
         configStorage => {{ confFile => '{shown}/lemonldap-ng.ini' }} }});\n"
    );
    let file = directory.join("application.psgi");
    fs::write(&file, application)?;
    Ok(file)
}

fn settings(directory: &Path, port: u16) -> Value {
    let issuer = issuer(port);
    let folder = |name: &str| {
        let path = directory.join(name);
        json!({
            "Directory": path, "LockDirectory": path.join("lock"),
            "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
        })
    };
    let client = |id: &str, grants: bool| {
        json!({
            "oidcRPMetaDataOptionsClientID": id,
            "oidcRPMetaDataOptionsClientSecret": format!("secret-of-{id}"),
            "oidcRPMetaDataOptionsIDTokenSignAlg": "HS256",
            "oidcRPMetaDataOptionsBypassConsent": 1,
            "oidcRPMetaDataOptionsAllowClientCredentialsGrant": u8::from(grants),
            "oidcRPMetaDataOptionsAllowPasswordGrant": u8::from(grants),
            "oidcRPMetaDataOptionsRefreshToken": u8::from(grants),
        })
    };
    json!({
        "cfgNum": 1, "cfgAuthor": "test", "cfgDate": 1,
        "portal": format!("{issuer}/"), "domain": "127.0.0.1", "securedCookie": 0,
        "key": "a-key-for-this-test-alone", "cookieName": "lemonldap",
        "authentication": "Demo", "userDB": "Same", "passwordDB": "Demo", "registerDB": "Null",
        "demoExportedVars": { "uid": "uid", "mail": "mail" }, "whatToTrace": "uid",
        "globalStorage": "Apache::Session::File", "globalStorageOptions": folder("sessions"),
        "persistentStorage": "Apache::Session::File",
        "persistentStorageOptions": folder("persistent"),
        // With this cache a token would stay active for a while after its session.
        "localSessionStorage": "",
        "issuerDBOpenIDConnectActivation": 1, "issuerDBOpenIDConnectPath": "^/oauth2/",
        "issuerDBOpenIDConnectRule": 1, "oidcServiceMetaDataIssuer": issuer,
        "oidcRPMetaDataOptions": {
            "orders": client("orders", true), ASKING_CLIENT: client(ASKING_CLIENT, false),
        },
        "oidcRPMetaDataExportedVars": { "orders": { "email": "mail" }, ASKING_CLIENT: {} },
        "applicationList": {}, "locationRules": {}, "exportedHeaders": {}, "exportedVars": {},
        "macros": {}, "groups": {}, "vhostOptions": {},
    })
}
