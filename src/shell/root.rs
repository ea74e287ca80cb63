//! One configuration in one worker: it owns every fetch, because the host gives the answer to a
//! call to whoever made it, and drops it when that was a request which is gone by then.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use log::{error, info, warn};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType};

use super::abi;
use super::host::{self, HostFunctions, SharedData, VmEnvironment};
use super::http::Request;
use super::metrics::Metrics;
use crate::config;
use crate::crypto::{skipped_in_words, Algorithm, GuestCrypto, HostCrypto, SignatureVerifier};
use crate::facts::{Call, CallId, CallResponse, KeyCount, WaiterId};
use crate::gate::{ForwardedRequest, Gate, Work};
use crate::observe::Metric;
use crate::policy::CryptoMode;
use crate::time::UnixMillis;

/// How often it is told how long keys of n8n's still hold: there may be thousands.
const KEY_TIMES: Duration = Duration::from_secs(5);

/// How often a worker warns of keys that n8n refused.
const WARNINGS: Duration = Duration::from_secs(60);

/// The context of one configuration.
#[derive(Default)]
pub(super) struct Root {
    /// The host's number of this context.
    id: u32,
    worker: Option<Rc<RefCell<Worker>>>,
    /// Which call of ours each of the host's call numbers is.
    calls: BTreeMap<u32, CallId>,
}

/// What the requests of one configuration share with its root context.
pub(super) struct Worker {
    pub(super) gate: Gate,
    pub(super) metrics: Metrics,
    /// Requests that waited and go on, and have not heard of it yet, in the order of their numbers.
    resumed: Vec<Resumed>,
    tick: Duration,
    /// When the times of keys are next told.
    key_times_due: UnixMillis,
    /// When a refused key may next be warned of.
    warning_due: UnixMillis,
    /// Whether the host writes audit records at all.
    pub(super) audits: bool,
    /// What the host was last told of each provider's keys.
    key_counts: Vec<KeyCount>,
}

/// A request that waited and goes on.
pub(super) struct Resumed {
    waiter: WaiterId,
    /// What is to be done with n8n's answer.
    pub(super) sent: Option<Box<ForwardedRequest>>,
}

impl Worker {
    /// Asks the host for ticks as often as the gate needs them.
    pub(super) fn adjust_tick(&mut self) {
        let period = self.gate.tick_period();
        if period != self.tick && hostcalls::set_tick_period(period).is_ok() {
            self.tick = period;
        }
    }

    /// Reports what was counted and how old the keys are.
    fn report_metrics(&mut self, now: UnixMillis) {
        self.metrics.report();
        for (provider, age) in self.gate.key_set_ages(now) {
            self.metrics
                .record(&Metric::KeySetAge { provider }, age.as_secs());
        }
        if now >= self.key_times_due {
            self.key_times_due = now.saturating_add(KEY_TIMES);
            for (principal, left) in self.gate.upstream_key_times(now) {
                let principal = &*principal;
                let metric = Metric::UpstreamKeyTime { principal };
                self.metrics.record(&metric, left);
            }
        }
        // These seldom change, and the host keeps what it was told.
        let mut counts = Vec::new();
        for (provider, count) in self.gate.key_counts(now) {
            if self.key_counts.get(counts.len()) != Some(&count) {
                for (metric, number) in [
                    (Metric::Keys { provider }, count.usable),
                    (Metric::SkippedKeys { provider }, count.skipped),
                ] {
                    let number = u64::try_from(number).unwrap_or(u64::MAX);
                    self.metrics.record(&metric, number);
                }
            }
            counts.push(count);
        }
        self.key_counts = counts;
    }

    /// Notes that a request goes on, for its own next call.
    pub(super) fn resume(&mut self, waiter: WaiterId, sent: Option<Box<ForwardedRequest>>) {
        let place = self.resumed.partition_point(|one| one.waiter < waiter);
        self.resumed.insert(place, Resumed { waiter, sent });
    }

    /// A request that waited, if it goes on. Told once.
    pub(super) fn resumed(&mut self, waiter: WaiterId) -> Option<Resumed> {
        let place = self.resumed.binary_search_by_key(&waiter, |one| one.waiter);
        Some(self.resumed.remove(place.ok()?))
    }

    /// Whether it is time to warn of a key that n8n refused. Each such request is in the audit; a
    /// log at level `warning` is not to be flooded by them.
    pub(super) fn may_warn(&mut self, now: UnixMillis) -> bool {
        let may = now >= self.warning_due;
        if may {
            self.warning_due = now.saturating_add(WARNINGS);
        }
        may
    }
}

impl Root {
    /// A context of the host's that knows its number and no configuration yet.
    pub(super) fn new(id: u32) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    fn load(&mut self, text: &[u8]) -> bool {
        match config::load(text, &VmEnvironment) {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    warn!("configuration: {warning}");
                }
                for expired in loaded.policy.expired_keys(host::now().to_seconds()) {
                    warn!("configuration: {expired}");
                }
                info!(
                    "n8n-idp-gate {}: {} providers, {} principals",
                    env!("CARGO_PKG_VERSION"),
                    loaded.policy.providers.len(),
                    loaded.policy.instances.principals()
                );
                let crypto = signature_verifier(loaded.policy.crypto);
                let mut worker = Worker {
                    gate: Gate::new(loaded.policy, crypto),
                    metrics: Metrics::default(),
                    resumed: Vec::new(),
                    tick: Duration::ZERO,
                    key_times_due: UnixMillis(0),
                    warning_due: UnixMillis(0),
                    audits: host::logs_information(),
                    key_counts: Vec::new(),
                };
                worker.gate.open(&SharedData);
                worker.adjust_tick();
                self.worker = Some(Rc::new(RefCell::new(worker)));
                true
            }
            Err(errors) => {
                for line in errors.to_string().lines() {
                    error!("configuration: {line}");
                }
                false
            }
        }
    }

    fn perform(&mut self, worker: &Rc<RefCell<Worker>>, work: Vec<Work>) {
        for item in work {
            match item {
                Work::Call(call) => self.call(worker, &call),
                Work::Refreshed(provider) => {
                    let mut worker = worker.borrow_mut();
                    let worker = &mut *worker;
                    let provider = worker.gate.provider_name(provider);
                    worker.metrics.count(&Metric::KeySetRefresh { provider });
                }
                Work::Skipped(provider, keys) => {
                    let worker = worker.borrow();
                    let provider = worker.gate.provider_name(provider);
                    if keys.is_empty() {
                        info!("provider {provider}: no key of the key set is skipped any more");
                    } else {
                        let keys = skipped_in_words(&keys);
                        warn!("provider {provider}: keys of the key set are skipped: {keys}");
                    }
                }
                Work::Failed(provider, fault) => {
                    let mut worker = worker.borrow_mut();
                    let worker = &mut *worker;
                    let provider = worker.gate.provider_name(provider);
                    warn!("provider {provider}: the keys could not be fetched: {fault}");
                    worker.metrics.count(&Metric::KeySetFailure {
                        provider,
                        fault: &fault,
                    });
                }
                Work::Told(provider, active) => {
                    let mut worker = worker.borrow_mut();
                    let worker = &mut *worker;
                    let provider = worker.gate.provider_name(provider);
                    let metric = Metric::Introspection { provider, active };
                    worker.metrics.count(&metric);
                }
                Work::Untold(provider, fault) => {
                    let mut worker = worker.borrow_mut();
                    let worker = &mut *worker;
                    let provider = worker.gate.provider_name(provider);
                    warn!("provider {provider}: it could not be asked about a token: {fault}");
                    let fault = &fault;
                    let metric = Metric::IntrospectionFailure { provider, fault };
                    worker.metrics.count(&metric);
                }
            }
        }
    }

    fn call(&mut self, worker: &Rc<RefCell<Worker>>, call: &Call) {
        if let Ok(number) = host::dispatch(&call.request) {
            self.calls.insert(number, call.id);
            return;
        }
        let work = worker.borrow_mut().gate.answered(
            call.id,
            CallResponse::NotDispatched,
            host::now(),
            &SharedData,
        );
        // A call that cannot be made is retried after a pause, never at once, so this ends.
        self.perform(worker, work);
    }

    /// Decides about requests whose wait is over. Once in a call of the host.
    fn settle_woken(&self, worker: &Rc<RefCell<Worker>>, now: UnixMillis) {
        let mut worker = worker.borrow_mut();
        let settled = worker.gate.settle_woken(now);
        if settled.is_empty() {
            return;
        }
        for (waiter, settled) in settled {
            worker.end_wait(waiter, settled);
        }
        let _ = abi::set_effective_context(self.id);
    }
}

fn signature_verifier(mode: CryptoMode) -> Box<dyn SignatureVerifier> {
    if mode == CryptoMode::Guest {
        return Box::new(GuestCrypto);
    }
    let (crypto, deviations) = HostCrypto::tested(HostFunctions);
    for deviation in deviations {
        warn!("the host is not asked to check signatures of {deviation}");
    }
    let algorithms: Vec<_> = crypto.algorithms().map(Algorithm::as_str).collect();
    info!("signatures checked by the host: {}", algorithms.join(" "));
    Box::new(crypto)
}

impl Context for Root {
    fn on_done(&mut self) -> bool {
        // The host cancels the calls of a context that goes away and reports nothing of it.
        if let Some(worker) = &self.worker {
            let mut worker = worker.borrow_mut();
            worker.gate.close(&SharedData);
            worker.metrics.report();
        }
        true
    }

    fn on_http_call_response(&mut self, number: u32, headers: usize, body: usize, _: usize) {
        let (Some(worker), Some(call)) = (self.worker.clone(), self.calls.remove(&number)) else {
            return;
        };
        let answer = host::call_response(headers, body);
        let now = host::now();
        let work = worker
            .borrow_mut()
            .gate
            .answered(call, answer, now, &SharedData);
        self.perform(&worker, work);
        self.settle_woken(&worker, now);
        worker.borrow_mut().adjust_tick();
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size);
        self.load(&text.ok().flatten().unwrap_or_default())
    }

    fn on_tick(&mut self) {
        let Some(worker) = self.worker.clone() else {
            return;
        };
        let now = host::now();
        let work = worker.borrow_mut().gate.tick(now, &SharedData);
        self.perform(&worker, work);
        self.settle_woken(&worker, now);
        let mut worker = worker.borrow_mut();
        worker.report_metrics(now);
        worker.audits = host::logs_information();
        worker.adjust_tick();
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        let request = Request::new(WaiterId(id), self.worker.clone());
        Some(Box::new(request))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
