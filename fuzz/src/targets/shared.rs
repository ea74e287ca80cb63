//! Reads the key set that another worker left in shared memory.
//!
//! The first byte chooses what is there. `r`: the value of a genuine worker with changes; `w`: the
//! rest of the input as it is; `s` and `p`: the same, but sealed with the workers' own key, as a
//! worker of another version would. Each change has four
//! bytes: two of position, kind, byte.

use std::sync::OnceLock;
use std::time::Duration;

use hmac_sha256::{Hash, HMAC};
use n8n_idp_gate::facts::{
    Availability, CallResponse, Effect, FactStore, Facts, ResponseHeaders, SharedMemory,
};
use n8n_idp_gate::policy::{Policy, ProviderId};
use n8n_idp_gate::time::UnixMillis;

use crate::memory::Memory;
use crate::world::{key_set, policy, Keys, NOW, SECRET};

const START: UnixMillis = UnixMillis(NOW * 1_000);

/// The length of the message authentication code before each value.
const CODE: usize = 32;

/// Longer than any key set goes without a fetch.
const DAYS: u64 = 14;

thread_local! {
    static POLICY: Policy = policy(&Keys::Fetched);
}

/// The target.
pub fn run(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    let (name, genuine) = genuine();
    let payload = &genuine[CODE..];
    let value = match kind {
        b'w' => rest.to_vec(),
        b's' => seal(name, rest),
        b'p' => seal(name, &changed(payload, rest)),
        _ => changed(genuine, rest),
    };
    let is_sealed = matches!(kind, b's' | b'p');
    let memory = Memory::default();
    memory.write(name, &value, None);
    POLICY.with(|policy| {
        let mut store = FactStore::new(policy);
        let effects = store.tick(START, &memory);
        let knows = matches!(
            store.at(START).key_set(ProviderId(0)),
            Availability::Known(_)
        );
        if !is_sealed && value != *genuine {
            assert!(!knows, "a value that no worker sealed is believed");
        }
        if value == *genuine {
            assert!(knows, "a genuine value is not believed");
        }
        assert!(
            knows || effects.iter().any(is_fetch),
            "a worker without keys waits for nothing"
        );
        // Whatever is there, the worker goes on to fetch.
        let mut fetches = effects.iter().filter(|effect| is_fetch(effect)).count();
        for hour in 1..=24 * DAYS {
            let now = START.saturating_add(Duration::from_secs(hour * 3_600));
            fetches += store
                .tick(now, &memory)
                .iter()
                .filter(|effect| is_fetch(effect))
                .count();
        }
        assert!(fetches > 0, "a shared value keeps the worker from fetching");
    });
}

fn is_fetch(effect: &Effect) -> bool {
    matches!(effect, Effect::Call(_))
}

/// What a worker shares after a fetch: the name and the sealed value.
fn genuine() -> &'static (String, Vec<u8>) {
    static GENUINE: OnceLock<(String, Vec<u8>)> = OnceLock::new();
    GENUINE.get_or_init(|| {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(&Keys::Fetched));
        let effects = store.tick(START, &memory);
        let [Effect::Call(call)] = effects.as_slice() else {
            panic!("not one fetch: {effects:?}");
        };
        let response = CallResponse::Response {
            status: 200,
            headers: ResponseHeaders::default(),
            body: key_set().to_string().into_bytes(),
        };
        store.received(call.id, response, START, &memory);
        let (name, value) = memory.named("/keys/").expect("a shared key set");
        assert_eq!(
            seal(&name, &value[CODE..]),
            value,
            "this target seals as workers do"
        );
        (name, value)
    })
}

/// Seals a payload as the workers of this policy do: under a key made of their secrets.
fn seal(name: &str, payload: &[u8]) -> Vec<u8> {
    let mut key = HMAC::new("n8n-idp-gate shared data key, version 1");
    key.update(Hash::hash(SECRET.as_bytes()));
    let mut code = HMAC::new(key.finalize());
    code.update(Hash::hash(name.as_bytes()));
    code.update(payload);
    [code.finalize().as_slice(), payload].concat()
}

fn changed(value: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    for change in changes.chunks_exact(4).take(16) {
        let [high, low, kind, byte] = [change[0], change[1], change[2], change[3]];
        let at = usize::from(u16::from_be_bytes([high, low])) % (value.len() + 1);
        match kind % 4 {
            0 if at < value.len() => value[at] = byte,
            1 => value.insert(at, byte),
            2 => value.truncate(at),
            _ => drop(value.drain(at..(at + usize::from(byte)).min(value.len()))),
        }
    }
    value
}
