//! What tokens of some callers, made up or not, do to the tokens of others.

use super::token_status::*;
use super::*;
use crate::crypto::KeySet;
use crate::policy::{Introspection, Protocol};

/// A token that is over its own limit at userinfo, or of a user that is gone, keeps no other caller
/// out.
#[test]
fn at_userinfo_a_caller_over_its_limit_or_gone_keeps_out_no_other_caller() {
    for response in [with_retry_after(429, "300"), status(404), status(410)] {
        let protocol = Protocol::UserInfo;
        let mut store = store_asking(Introspection {
            protocol,
            ..asked()
        });
        ask(&mut store, "of-an-attacker", response, START);
        assert_eq!(known(&store, "of-a-good-caller", after(1)), "pending");
    }
}

/// A token that a firewall before the provider does not like.
#[test]
fn a_token_that_a_firewall_does_not_like_rests_alone() {
    let mut store = store();
    ask(&mut store, "../../../../etc/passwd", status(403), START);
    assert_eq!(known(&store, "good", after(1)), "pending");
}

/// How long a request waits for a token status does not depend on how long keys take.
#[test]
fn a_short_time_limit_for_keys_does_not_cut_off_introspection() {
    let keys = KeySet::parse(&key_set("one")).unwrap();
    let mut policy = policy(KeySource::Inline(keys), Some("secret"));
    policy.providers[0].freshness.timeout = Duration::from_millis(100);
    policy.providers[0].introspection = Some(asked());
    let mut store = FactStore::new(&policy);
    wait(&mut store, 1, "one", START);
    let calls = asks(&store.tick(START, &Memory::default()));
    assert!(woken(&store.tick(after(201), &Memory::default())).is_empty());
    let effects = store.received(calls[0].0, active(), after(3_000), &Memory::default());
    assert_eq!(woken(&effects), [(1, false)]);
}

/// A pause that the provider asked for is kept, though a call from before it ends well.
#[test]
fn retry_after_is_obeyed_though_an_older_call_ends_well() {
    let mut store = store();
    wait(&mut store, 1, "one", START);
    wait(&mut store, 2, "two", START);
    let calls = asks(&store.tick(START, &Memory::default()));
    store.received(
        calls[0].0,
        with_retry_after(429, "120"),
        after(5),
        &Memory::default(),
    );
    store.received(calls[1].0, active(), after(6), &Memory::default());
    assert_eq!(known(&store, "three", after(1_000)), "rate_limited");
}

/// The pause that was asked for is over at its end, also where an older call then ends well; one that was not
/// asked for ends with a call that began after it did.
#[test]
fn a_good_response_ends_a_pause_unless_its_call_is_older_or_the_pause_was_asked_for() {
    for (asked_for, begun_after, responded, ends) in [
        (None, 0, 6, true),
        (None, 9, 9, true),
        (Some("120"), 0, 6, false),
        (Some("120"), 0, 120_004, false),
        (Some("120"), 0, 120_005, true),
        (Some("120"), 9, 9, false),
    ] {
        let memory = Memory::default();
        let mut policy = policy(KeySource::Inline(KeySet::default()), Some("secret"));
        policy.providers[0].introspection = Some(Introspection {
            timeout: Duration::from_secs(600),
            ..asked()
        });
        let mut store = FactStore::new(&policy);
        let now = after(5);
        wait(&mut store, 1, "older", START);
        wait(&mut store, 2, "fails", START);
        let calls = asks(&store.tick(START, &memory));
        let response = asked_for.map_or(status(503), |seconds| with_retry_after(503, seconds));
        store.received(calls[1].0, response, now, &memory);
        let shown = (asked_for, begun_after, responded);
        let call = if begun_after == 0 {
            calls[0].0
        } else {
            // A probe about a proven token.
            confirm(&mut store, 3, "proven", after(begun_after));
            let probe = asks(&store.tick(after(begun_after), &memory));
            let Some((probe, _)) = probe.first() else {
                assert!(!ends, "{shown:?}");
                continue;
            };
            *probe
        };
        store.received(call, active(), after(responded), &memory);
        let is_over = known(&store, "new", after(responded)) == "pending";
        assert_eq!(is_over, ends, "{shown:?}");
    }
}

/// Attackers do not take the slot of a caller whose token was active a moment ago.
#[test]
fn made_up_tokens_do_not_keep_out_one_that_was_active_a_moment_ago() {
    let mut store = store();
    ask(&mut store, "good", active(), START);
    let now = after(TTL);
    for waiter in 1_000..1_256 {
        wait(&mut store, waiter, &format!("made-up-{waiter}"), now);
    }
    let fact = Fact::TokenStatusToDecide(THE_PROVIDER, digest("good"));
    assert_eq!(store.wait(WaiterId(1), &fact, now), Ok(()));
    let first = asks(&store.tick(now, &Memory::default()));
    assert!(
        first.iter().any(|(_, waiter)| *waiter == 1),
        "it is asked about"
    );
}

/// After the clock was set back, a provider rests no longer than it would have.
#[test]
fn a_clock_that_was_set_back_does_not_lengthen_the_pause() {
    let mut store = store();
    ask(&mut store, "one", status(503), START);
    let now = UnixMillis(START.0 - 3_600_000);
    store.tick(now, &Memory::default());
    let later = now.saturating_add(Duration::from_millis(8_001));
    store.tick(later, &Memory::default());
    assert_eq!(known(&store, "two", later), "pending");
}

/// A token that the provider could not be asked about is not asked about again at once, because
/// another call ended well.
#[test]
fn a_token_is_asked_about_once_in_a_pause_though_others_end_well() {
    let mut store = store();
    let memory = Memory::default();
    let mut asked = 0;
    for round in 0..100_u64 {
        let now = after(round * 10);
        if known(&store, "one", now) == "pending" {
            wait(&mut store, 1, "one", now);
        }
        let other = format!("other-{round}");
        if known(&store, &other, now) == "pending" {
            wait(&mut store, 2, &other, now);
        }
        for (call, waiter) in asks(&store.tick(now, &memory)) {
            asked += u32::from(waiter == 1);
            let response = if waiter == 1 { status(503) } else { active() };
            store.received(call, response, now, &memory);
        }
    }
    assert!(asked <= 2, "asked {asked} times in a second");
}

/// Providers to which no call about tokens is made take no slots of the others.
#[test]
fn requests_with_one_good_token_have_slots_however_many_providers_there_are() {
    let keys = KeySet::parse(&key_set("one")).unwrap();
    let mut policy = policy(KeySource::Inline(keys), Some("secret"));
    let other = policy.providers[0].clone();
    policy.providers[0].introspection = Some(asked());
    policy.providers.extend(vec![other; 39]);
    let mut store = FactStore::new(&policy);
    for waiter in 0..32 {
        wait(&mut store, waiter, "good", START);
    }
}

/// After an attacker's token made a provider fail, a call about a proven one is made at once, and it rests
/// no more when that goes well; unless it asked to be left alone.
#[test]
fn an_attacker_s_token_that_breaks_the_connection_keeps_out_no_proven_one() {
    for (response, is_asked) in [
        (CallResponse::NoResponse, true),
        (status(503), true),
        (with_retry_after(503, "120"), false),
    ] {
        let mut store = store();
        for proven in ["good", "better"] {
            ask(&mut store, proven, active(), START);
        }
        let now = after(TTL);
        ask(&mut store, "../../../../etc/passwd", response, now);
        let (before, rests) = (known(&store, "good", now), known(&store, "new", now));
        assert_ne!(rests, "pending");
        if !is_asked {
            assert_eq!(before, rests);
            continue;
        }
        assert_eq!(before, "pending");
        for (waiter, proven) in [(1, "good"), (2, "better")] {
            wait(&mut store, waiter, proven, now);
        }
        let asked = asks(&store.tick(now, &Memory::default()));
        assert_eq!(asked.len(), 1, "one at a time");
        store.received(asked[0].0, active(), now, &Memory::default());
        for token in ["better", "new"] {
            assert_eq!(known(&store, token, now), "pending");
        }
    }
}

/// A proven token is asked about once in a pause, too.
#[test]
fn a_provider_that_is_down_is_probed_about_each_proven_token_once_in_a_pause() {
    let mut store = store();
    ask(&mut store, "good", active(), START);
    let now = after(TTL);
    ask(&mut store, "made-up", status(503), now);
    ask(&mut store, "good", status(503), now);
    assert_eq!(known(&store, "good", now), "unavailable");
    wait(&mut store, 9, "new", now);
    assert_eq!(asks(&store.tick(now, &Memory::default())), []);
}

fn confirm(store: &mut FactStore, waiter: u32, text: &str, now: UnixMillis) {
    let fact = Fact::TokenStatusToConfirm(THE_PROVIDER, digest(text));
    assert_eq!(store.wait(WaiterId(waiter), &fact, now), Ok(()));
}

/// However many proven tokens wait, a provider that is down is asked about one of them a second.
#[test]
fn many_proven_tokens_do_not_storm_a_provider_that_is_down() {
    let memory = Memory::default();
    for (response, most) in [
        (status(503), 2),
        (status(401), 0),
        (CallResponse::NotDispatched, 0),
    ] {
        let mut store = store();
        ask(&mut store, "first", response.clone(), START);
        let mut probes = 0;
        for millis in 1..1_100_u32 {
            let now = after(u64::from(millis));
            let text = format!("signed-{millis}");
            let token = digest(&text);
            let facts = store.at(now);
            if matches!(
                facts.token_status_to_confirm(THE_PROVIDER, &token),
                Availability::Pending
            ) && now < after(700)
            {
                confirm(&mut store, millis + 10, &text, now);
            }
            for (call, _) in asks(&store.tick(now, &memory)) {
                probes += 1;
                store.received(call, response.clone(), now, &memory);
            }
        }
        assert!(probes <= most, "{response:?}: {probes} probes");
    }
}

/// An attacker with another token whose call hangs must not keep the probe from being made.
#[test]
fn a_made_up_token_that_hangs_does_not_keep_a_proven_one_from_being_asked_about() {
    let memory = Memory::default();
    let mut store = store();
    ask(&mut store, "good", active(), START);
    let now = after(TTL);
    for (waiter, made_up) in [(1, "hangs"), (2, "breaks")] {
        wait(&mut store, waiter, made_up, now);
    }
    let calls = asks(&store.tick(now, &memory));
    store.received(calls[1].0, CallResponse::NoResponse, now, &memory);
    assert_eq!(known(&store, "good", now), "pending");
    wait(&mut store, 3, "good", now);
    let probe = asks(&store.tick(now, &memory));
    assert_eq!(probe.len(), 1);
    store.received(probe[0].0, active(), now, &memory);
    assert_eq!(known(&store, "new", now), "pending");
}

#[test]
fn retry_after_is_obeyed_though_an_older_call_fails_without_it() {
    let memory = Memory::default();
    let mut store = store();
    for (waiter, token) in [(1, "one"), (2, "two")] {
        wait(&mut store, waiter, token, START);
    }
    let calls = asks(&store.tick(START, &memory));
    store.received(calls[0].0, with_retry_after(503, "120"), after(5), &memory);
    store.received(calls[1].0, status(503), after(6), &memory);
    assert_eq!(known(&store, "three", after(10_000)), "unavailable");
}

/// Calls about proven tokens that hang leave room for new ones, and the other way round.
#[test]
fn new_tokens_and_proven_ones_have_calls_of_their_own() {
    let memory = Memory::default();
    let mut store = store();
    for number in 0..40 {
        confirm(&mut store, number, &format!("signed-{number}"), START);
    }
    for number in 40..80 {
        wait(&mut store, number, &format!("new-{number}"), START);
    }
    let asked = asks(&store.tick(START, &memory));
    let proven = asked.iter().filter(|(_, waiter)| *waiter < 40).count();
    assert_eq!((proven, asked.len()), (OF_ONE, OF_ONE * 2));
}

/// A caller with many made-up tokens has neither all calls nor all slots.
#[test]
fn made_up_tokens_from_one_address_keep_out_no_new_token_from_another() {
    let memory = Memory::default();
    let mut store = store();
    let wait = |store: &mut FactStore, waiter: u32, address: &str| {
        let fact = Fact::TokenStatusToDecide(THE_PROVIDER, digest(&format!("new-{waiter}")));
        store.admit(WaiterId(waiter), &fact, START, from(address), START)
    };
    for waiter in 0..2_000 {
        let waits = wait(&mut store, waiter, "10.0.0.1");
        assert_eq!(waits.is_ok(), waiter < 256, "{waiter}");
    }
    let flood = asks(&store.tick(START, &memory));
    assert_eq!(flood.len(), OF_ONE);
    for waiter in 2_000..2_012 {
        let address = format!("10.0.1.{}", waiter % 250);
        assert_eq!(wait(&mut store, waiter, &address), Ok(()));
    }
    let next = asks(&store.tick(after(1), &memory));
    let waiters: BTreeSet<_> = next.iter().map(|(_, waiter)| *waiter).collect();
    assert_eq!(waiters, (2_000..2_012).collect(), "all of them, at once");
    // What becomes free goes to others, too.
    for waiter in 3_000..3_040 {
        assert_eq!(wait(&mut store, waiter, "10.0.2.2"), Ok(()));
    }
    for (call, _) in flood {
        store.received(call, inactive(), after(2), &memory);
    }
    let next = asks(&store.tick(after(3), &memory));
    let of_other = next.iter().filter(|(_, waiter)| *waiter >= 3_000).count();
    assert_eq!((next.len(), of_other), (29, 14));
}
