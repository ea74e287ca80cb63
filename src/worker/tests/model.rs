//! Random events, with a host that refuses functions, loses calls and reports events from within.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// An event of the host.
#[derive(Clone, Debug)]
enum Event {
    Good(u32),
    Forged(u32),
    Body(u32),
    Response(u32, u16),
    End(u32),
    Tick(u64),
    Keys,
    NoResponse,
    Refuse(Function),
    RefuseNothing,
    /// The event happens within the next call of the function.
    Within(Function, Box<Event>),
}

fn plain_event() -> impl Strategy<Value = Event> {
    let context = 2_u32..8;
    prop_oneof![
        3 => context.clone().prop_map(Event::Good),
        3 => context.clone().prop_map(Event::Forged),
        3 => context.clone().prop_map(Event::Body),
        1 => (context.clone(), prop::sample::select(vec![200_u16, 401, 403]))
            .prop_map(|(context, status)| Event::Response(context, status)),
        1 => context.prop_map(Event::End),
        4 => (1_u64..4000).prop_map(Event::Tick),
        3 => Just(Event::Keys),
        1 => Just(Event::NoResponse),
    ]
}

fn function() -> impl Strategy<Value = Function> {
    prop::sample::select(vec![
        Function::Now,
        Function::SetTickPeriod,
        Function::DefineMetric,
        Function::SendCall,
        Function::SetEffectiveContext,
        Function::RequestHead,
        Function::SetProperty,
        Function::AddHeader,
        Function::ReplaceHeader,
        Function::RemoveHeader,
        Function::Reply,
        Function::Resume,
    ])
}

fn event() -> impl Strategy<Value = Event> {
    let reentered =
        prop::sample::select(vec![Function::SendCall, Function::Reply, Function::Resume]);
    prop_oneof![
        8 => plain_event(),
        1 => function().prop_map(Event::Refuse),
        2 => Just(Event::RefuseNothing),
        2 => (reentered, plain_event())
            .prop_map(|(function, event)| Event::Within(function, Box::new(event))),
    ]
}

/// What the model knows of the requests.
#[derive(Clone, Default)]
struct Seen {
    /// Which showed a good token.
    good_ones: Rc<RefCell<BTreeSet<u32>>>,
    /// Which have ended within the event that is going on.
    ended: Rc<RefCell<BTreeSet<u32>>>,
}

fn perform(scene: &Scene, seen: &Seen, event: Event) {
    let good_ones = &seen.good_ones;
    // A host reports no event of a request that is in one. It counts requests up, so that no number comes
    // again while something of the request that had it goes on.
    let is_idle = |context: &u32| scene.requests.borrow().contains_key(context);
    let is_free = |context: &u32| {
        let streams = scene.host.0.streams.borrow();
        !streams.contains_key(context) && !seen.ended.borrow().contains(context)
    };
    match event {
        Event::Good(context) if is_free(&context) => {
            good_ones.borrow_mut().insert(context);
            let _ = scene.request(context, good());
        }
        Event::Forged(context) if is_free(&context) => {
            good_ones.borrow_mut().remove(&context);
            let _ = scene.request(context, forged());
        }
        Event::Body(context) if is_idle(&context) => {
            let flow = scene.body(context);
            // "Continue" would release a head that is held.
            let is_held = scene.progress(context) == Progress::Held;
            assert!(flow == Flow::Hold || !is_held, "{context}");
        }
        Event::Response(context, status) if is_idle(&context) && scene.is_upstream(context) => {
            let _ = scene.response(context, status);
        }
        Event::End(context) if is_idle(&context) => {
            seen.ended.borrow_mut().insert(context);
            scene.end(context);
        }
        Event::Tick(millis) => scene.tick_after(millis),
        Event::Keys if !scene.host.0.calls.borrow().is_empty() => scene.end_call(keys()),
        Event::NoResponse if !scene.host.0.calls.borrow().is_empty() => {
            scene.end_call(CallResponse::default());
        }
        Event::Refuse(function) => scene.host.refuse(function),
        Event::RefuseNothing => scene.host.refuse_nothing(),
        Event::Within(function, event) => {
            let (inner, seen) = (scene.clone(), seen.clone());
            let hook = move || perform(&inner, &seen, *event);
            scene.host.during(function, hook);
        }
        _ => {}
    }
}

/// Only requests with a good token reach n8n, and each of them as the gate changed it.
fn check(scene: &Scene, seen: &Seen) {
    let good_ones = &seen.good_ones;
    for (context, stream) in scene.host.0.streams.borrow().iter() {
        let Progress::Upstream(head) = &stream.progress else {
            continue;
        };
        assert!(good_ones.borrow().contains(context), "{context} is forged");
        let values = |name: &str| {
            let values = head.iter().filter(|(other, _)| other == name);
            values.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(values("x-n8n-api-key"), ["upstream-api-key"], "{context}");
        assert_eq!(values("x-auth-subject"), ["app"], "{context}");
        assert!(values("authorization").is_empty(), "{context}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_a_host_does_no_request_passes_without_a_decision(
        events in vec(event(), 1..60),
        is_fetched in any::<bool>(),
    ) {
        let scene = Scene::new(&if is_fetched { with_fetch() } else { with_keys() });
        let seen = Seen::default();
        for event in events {
            seen.ended.borrow_mut().clear();
            perform(&scene, &seen, event);
            check(&scene, &seen);
        }
        // A host that works again settles every request: none waits for ever. An event that is left for
        // the next call would begin a request at the end of that time.
        scene.host.refuse_nothing();
        scene.host.reenter_nothing();
        for _ in 0..300 {
            scene.tick_after(100);
        }
        check(&scene, &seen);
        let state = scene.worker.state();
        for context in 2..8 {
            prop_assert!(!state.gate.is_waiting(crate::facts::WaiterId(context)));
        }
    }
}
