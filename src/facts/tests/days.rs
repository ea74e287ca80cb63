//! Random days of asking about tokens.

use std::cell::Cell;

use super::draws::{on_random_steps, Draws};
use super::token_status::*;
use super::*;

const TOKENS: u64 = 40;

/// What was said of a token, and until when that counts.
type Status = (&'static str, UnixMillis);

/// A store, and beside it what must be true of it.
struct Days {
    store: FactStore,
    draws: Draws,
    now: UnixMillis,
    last_waiter: u32,
    waiting: BTreeMap<u32, String>,
    /// Calls that are under way, about which token, and whether the provider rested.
    flying: Vec<(CallId, String, bool)>,
    statuses: BTreeMap<String, Status>,
    was_active: BTreeSet<String>,
    /// Before this no probe may be made, and before that no call at all.
    probe_after: UnixMillis,
    left_alone: UnixMillis,
    asked: u32,
    probed: u32,
}

/// Of these the signature is good.
fn is_signed(text: &str) -> bool {
    text.ends_with(['0', '3', '6'])
}

impl Days {
    fn new() -> Self {
        Self {
            store: store(),
            draws: Draws::default(),
            now: START,
            last_waiter: 0,
            waiting: BTreeMap::new(),
            flying: Vec::new(),
            statuses: BTreeMap::new(),
            was_active: BTreeSet::new(),
            probe_after: START,
            left_alone: START,
            asked: 0,
            probed: 0,
        }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.draws.below(sides)
    }

    fn pass(&mut self, most: u64) {
        let length = Duration::from_millis(self.roll(most));
        self.now = self.now.saturating_add(length);
    }

    fn status_that_holds(&self, text: &str) -> Option<&'static str> {
        let status = self.statuses.get(text);
        status
            .filter(|(_, until)| self.now < *until)
            .map(|(status, _)| *status)
    }

    /// A caller comes with a token.
    fn come(&mut self) {
        let text = format!("t{}", self.roll(TOKENS));
        let (said, fact) = if is_signed(&text) {
            let fact = Fact::TokenStatusToConfirm(THE_PROVIDER, digest(&text));
            (confirmed(&self.store, &text, self.now), fact)
        } else {
            let fact = Fact::TokenStatusToDecide(THE_PROVIDER, digest(&text));
            (known(&self.store, &text, self.now), fact)
        };
        match (said, self.status_that_holds(&text)) {
            ("pending", None) => {
                self.last_waiter += 1;
                let waiter = WaiterId(self.last_waiter);
                self.store.wait(waiter, &fact, self.now).unwrap();
                self.waiting.insert(self.last_waiter, text);
            }
            (said, Some(expected)) => assert_eq!(said, expected, "{text}"),
            // The provider rests.
            (said, None) => assert!(["unavailable", "no_response"].contains(&said), "{said}"),
        }
    }

    /// The provider responds to one of the calls.
    fn response(&mut self) -> Vec<Effect> {
        let Some(last) = self.flying.len().checked_sub(1) else {
            return Vec::new();
        };
        let index = usize::try_from(self.roll(last as u64 + 1)).unwrap();
        let (call, text, is_probe) = self.flying.swap_remove(index);
        let asks_for_time = self.roll(20) == 0;
        let (response, status, length) = match self.roll(9) {
            0..=3 => (active(), "active", TTL),
            4..=5 => (inactive(), "inactive", INACTIVE_TTL),
            6 => (status(500), "server_error", 5_000),
            _ if asks_for_time => (with_retry_after(503, "3"), "left_alone", 3_000),
            _ => (status(503), "unavailable", 1_000),
        };
        let effects = self
            .store
            .received(call, response, self.now, &Memory::default());
        // Else it was given up before.
        if !effects.is_empty() {
            let until = self.now.saturating_add(Duration::from_millis(length));
            match status {
                "left_alone" => self.left_alone = until,
                "unavailable" if is_probe => self.probe_after = until,
                "unavailable" => {}
                _ => self.believe(text, status, until),
            }
        }
        effects
    }

    fn believe(&mut self, text: String, status: &'static str, until: UnixMillis) {
        match status {
            "active" => _ = self.was_active.insert(text.clone()),
            "inactive" => _ = self.was_active.remove(&text),
            _ => {}
        }
        if status != "server_error" {
            self.probe_after = self.now;
        }
        self.statuses.insert(text, (status, until));
    }

    fn check(&mut self, effects: &[Effect], rests: bool) {
        for effect in effects {
            match effect {
                Effect::CallFor { call, waiter, .. } => {
                    let text = self.waiting.get(&waiter.0);
                    let text = text.expect("a request waits for it").clone();
                    let status = self.status_that_holds(&text);
                    assert_eq!(status, None, "{text} is asked about within its term");
                    assert!(self.now >= self.left_alone, "it asked to be left alone");
                    if rests {
                        assert!(
                            is_signed(&text) || self.was_active.contains(&text),
                            "{text}"
                        );
                        assert!(self.now >= self.probe_after, "a probe within a second");
                        let mut others = self.flying.iter();
                        assert!(others.all(|(_, _, is_probe)| !is_probe), "one at a time");
                        self.probed += 1;
                    }
                    self.flying.push((*call, text, rests));
                    self.asked += 1;
                }
                Effect::Wake { waiter, .. } => {
                    assert!(self.waiting.remove(&waiter.0).is_some(), "woken twice");
                }
                _ => {}
            }
        }
    }
}

/// What a provider said is never believed beyond its term, and it is never asked twice within one.
/// While it rests it is asked about one proven token at a time and a second, and about none where it
/// asked for that.
#[test]
fn random_days_keep_the_promises() {
    let (asked, probed) = (Cell::new(0), Cell::new(0));
    on_random_steps(60, 4_000, |_, steps| {
        let mut days = Days::new();
        for step in steps {
            days.draws = Draws::of(step);
            match days.roll(10) {
                0..=3 => days.come(),
                4..=6 => {
                    let effects = days.response();
                    days.check(&effects, false);
                }
                7 => days.pass(3_000),
                _ => {
                    days.pass(40);
                    let rests = known(&days.store, "never-asked-about", days.now) != "pending";
                    let effects = days.store.tick(days.now, &Memory::default());
                    days.check(&effects, rests);
                }
            }
        }
        asked.set(asked.get() + days.asked);
        probed.set(probed.get() + days.probed);
    });
    let (asked, probed) = (asked.get(), probed.get());
    assert!(asked > 1_000, "the model asked only {asked} times");
    assert!(probed > 100, "the model probed only {probed} times");
}
