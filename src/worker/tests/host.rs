//! A scripted host: it can refuse each function, lose calls, and call the worker again from within.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use super::START;
use crate::config::Environment;
use crate::crypto::ForeignFunctions;
use crate::facts::SharedMemory;
use crate::http::RequestHead;
use crate::no_memory::without_memory;
use crate::secret::Secret;
use crate::time::UnixMillis;
use log::Level;

use crate::worker::{Attribute, Headers, Host, HostCall, MetricKind, NotDone};

/// The context of the worker itself.
pub(super) const ROOT: u32 = 1;

/// A function that the host can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Function {
    Now,
    SetTickPeriod,
    DefineMetric,
    SendCall,
    SetEffectiveContext,
    RequestHead,
    SetProperty,
    AddHeader,
    ReplaceHeader,
    RemoveHeader,
    Reply,
    Resume,
}

/// Where a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The host holds it.
    Held,
    /// It reached n8n, with this head.
    Upstream(Vec<(String, String)>),
    /// It got a local reply.
    Replied(u16, String),
}

/// A request as the host sees it.
#[derive(Clone)]
pub(super) struct Stream {
    pub(super) head: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) response: Vec<(String, String)>,
    pub(super) response_details: Option<&'static str>,
    /// The digest of the certificate of its connection.
    pub(super) certificate: Option<&'static str>,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) progress: Progress,
}

/// A call as the host sent it.
#[derive(Clone, Debug)]
pub(super) struct SentCall {
    pub(super) number: u32,
    pub(super) cluster: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
    pub(super) timeout: Duration,
}

impl SentCall {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The response to the call that ends now.
#[derive(Clone, Default)]
pub(super) struct CallResponse {
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Vec<u8>,
}

type Hook = Box<dyn FnOnce()>;

#[derive(Default)]
pub(super) struct Inner {
    pub(super) time: Cell<u64>,
    pub(super) is_quiet: Cell<bool>,
    pub(super) refused: RefCell<BTreeSet<Function>>,
    pub(super) streams: RefCell<BTreeMap<u32, Stream>>,
    pub(super) current: Cell<u32>,
    pub(super) log: RefCell<Vec<(Level, String)>>,
    pub(super) calls: RefCell<Vec<SentCall>>,
    pub(super) call_response: RefCell<CallResponse>,
    pub(super) tick_period: Cell<Option<Duration>>,
    metric_names: RefCell<Vec<String>>,
    pub(super) metrics: RefCell<BTreeMap<String, u64>>,
    hooks: RefCell<Vec<(Function, Hook)>>,
}

/// A scripted host. Its clones are the same host.
#[derive(Clone, Default)]
pub(super) struct TestHost(pub(super) Rc<Inner>);

impl TestHost {
    pub(super) fn refuse(&self, function: Function) {
        self.0.refused.borrow_mut().insert(function);
    }

    /// No event happens within a function any more.
    pub(super) fn reenter_nothing(&self) {
        self.0.hooks.borrow_mut().clear();
    }

    pub(super) fn refuse_nothing(&self) {
        self.0.refused.borrow_mut().clear();
    }

    /// Calls this from within the next call of `function` that is done.
    pub(super) fn during(&self, function: Function, hook: impl FnOnce() + 'static) {
        self.0.hooks.borrow_mut().push((function, Box::new(hook)));
    }

    pub(super) fn stream(&self, context: u32) -> Stream {
        self.0.streams.borrow()[&context].clone()
    }

    pub(super) fn edit_stream(&self, context: u32, edit: impl FnOnce(&mut Stream)) {
        edit(self.0.streams.borrow_mut().get_mut(&context).unwrap());
    }

    /// The audit records so far.
    pub(super) fn audit(&self) -> Vec<serde_json::Value> {
        let log = self.0.log.borrow();
        let lines = log.iter().filter(|(_, line)| line.starts_with('{'));
        lines
            .map(|(_, line)| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The lines of one level that are no audit records.
    pub(super) fn logged(&self, level: Level) -> Vec<String> {
        let log = self.0.log.borrow();
        let lines = log.iter().filter(|(other, _)| *other == level);
        let lines = lines.map(|(_, line)| line.clone());
        lines.filter(|line| !line.starts_with('{')).collect()
    }

    pub(super) fn metric(&self, name: &str) -> Option<u64> {
        self.0.metrics.borrow().get(name).copied()
    }

    pub(super) fn last_call(&self) -> SentCall {
        self.0.calls.borrow().last().unwrap().clone()
    }

    fn done(&self, function: Function) -> Result<(), NotDone> {
        let refused = self.0.refused.borrow().contains(&function);
        if refused {
            Err(NotDone)
        } else {
            Ok(())
        }
    }

    /// Reports what the script says about a function that was done.
    fn report_within(&self, function: Function) {
        let hook = {
            let mut hooks = self.0.hooks.borrow_mut();
            let found = hooks.iter().position(|(other, _)| *other == function);
            found.map(|index| hooks.remove(index).1)
        };
        if let Some(hook) = hook {
            let current = self.0.current.get();
            hook();
            self.0.current.set(current);
        }
    }

    /// Changes one message of the current request.
    fn message(
        &self,
        headers: Headers,
        edit: impl FnOnce(&mut Vec<(String, String)>),
    ) -> Result<(), NotDone> {
        let mut streams = self.0.streams.borrow_mut();
        let stream = streams.get_mut(&self.0.current.get()).ok_or(NotDone)?;
        match headers {
            Headers::Request => edit(&mut stream.head),
            Headers::Response => edit(&mut stream.response),
        }
        Ok(())
    }
}

impl Host for TestHost {
    fn now(&self) -> Option<UnixMillis> {
        self.done(Function::Now).ok()?;
        let since_start = Duration::from_millis(self.0.time.get());
        Some(START.saturating_add(since_start))
    }

    fn logs_information(&self) -> bool {
        !self.0.is_quiet.get()
    }

    fn log(&self, level: Level, line: &str) {
        if level != Level::Info || self.logs_information() {
            self.0.log.borrow_mut().push((level, line.to_owned()));
        }
    }

    fn set_tick_period(&self, period: Duration) -> Result<(), NotDone> {
        self.done(Function::SetTickPeriod)?;
        self.0.tick_period.set(Some(period));
        Ok(())
    }

    fn define_metric(&self, _: MetricKind, name: &str) -> Option<u32> {
        self.done(Function::DefineMetric).ok()?;
        let mut names = self.0.metric_names.borrow_mut();
        assert!(!names.contains(&name.to_owned()), "{name} is defined twice");
        names.push(name.to_owned());
        u32::try_from(names.len()).ok()
    }

    fn add_to_metric(&self, number: u32, count: u64) {
        let name = self.0.metric_names.borrow()[number as usize - 1].clone();
        *self.0.metrics.borrow_mut().entry(name).or_default() += count;
    }

    fn set_metric(&self, number: u32, value: u64) {
        let name = self.0.metric_names.borrow()[number as usize - 1].clone();
        self.0.metrics.borrow_mut().insert(name, value);
    }

    fn send_call(&self, call: &HostCall<'_>) -> Result<u32, NotDone> {
        self.done(Function::SendCall)?;
        let mut calls = self.0.calls.borrow_mut();
        let number = u32::try_from(calls.len()).unwrap() + 100;
        let headers = call.headers.iter();
        calls.push(SentCall {
            number,
            cluster: call.cluster.to_owned(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: call
                .body
                .map(|body| String::from_utf8(body.to_vec()).unwrap()),
            timeout: call.timeout,
        });
        drop(calls);
        self.report_within(Function::SendCall);
        Ok(number)
    }

    fn call_body(&self, most: usize) -> Option<Vec<u8>> {
        let response = self.0.call_response.borrow();
        let body = response.body.iter().take(most);
        Some(body.copied().collect())
    }

    fn request_body(&self, most: usize) -> Option<Vec<u8>> {
        let streams = self.0.streams.borrow();
        let body = &streams.get(&self.0.current.get())?.body;
        Some(body.iter().take(most).copied().collect())
    }

    fn set_effective_context(&self, context: u32) -> Result<(), NotDone> {
        self.done(Function::SetEffectiveContext)?;
        if context != ROOT && !self.0.streams.borrow().contains_key(&context) {
            return Err(NotDone);
        }
        self.0.current.set(context);
        Ok(())
    }

    fn request_head(&self) -> Result<RequestHead, NotDone> {
        self.done(Function::RequestHead)?;
        let head = self.stream(self.0.current.get()).head.into_iter();
        let pairs = head.map(|(name, value)| (name, value.into_bytes()));
        Ok(RequestHead::new(pairs))
    }

    fn call_headers(&self) -> Option<Vec<(String, Vec<u8>)>> {
        let response = self.0.call_response.borrow();
        let headers = response.headers.iter();
        let pairs = headers.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Some(pairs.collect())
    }

    fn header(&self, headers: Headers, name: &str) -> Option<Vec<u8>> {
        let mut found = None;
        let find = |message: &mut Vec<(String, String)>| {
            let mut message = message.iter();
            found = message
                .find(|(other, _)| other == name)
                .map(|(_, value)| value.clone().into_bytes());
        };
        self.message(headers, find).ok()?;
        found
    }

    fn response_headers(&self) -> Option<Vec<(String, Vec<u8>)>> {
        let mut all = Vec::new();
        let read = |message: &mut Vec<(String, String)>| {
            let pairs = message.iter();
            all = pairs
                .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
                .collect();
        };
        self.message(Headers::Response, read).ok()?;
        Some(all)
    }

    fn attribute(&self, attribute: Attribute) -> Option<Vec<u8>> {
        let streams = self.0.streams.borrow();
        let stream = streams.get(&self.0.current.get())?;
        match attribute {
            Attribute::SourceAddress => Some(b"10.0.0.1:4711".to_vec()),
            Attribute::PeerCertificateDigest => stream.certificate.map(Into::into),
            Attribute::PeerCertificateSubject
            | Attribute::PeerCertificateUri
            | Attribute::PeerCertificateDns
            | Attribute::PeerAddress => None,
            Attribute::ResponseDetails => stream.response_details.map(Into::into),
        }
    }

    fn set_property(&self, name: &str, value: &str) -> Result<(), NotDone> {
        self.done(Function::SetProperty)?;
        let mut streams = self.0.streams.borrow_mut();
        let stream = streams.get_mut(&self.0.current.get()).ok_or(NotDone)?;
        stream.properties.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn add_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), NotDone> {
        self.done(Function::AddHeader)?;
        self.message(headers, |message| {
            message.push((name.to_owned(), value.to_owned()));
        })
    }

    fn replace_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), NotDone> {
        self.done(Function::ReplaceHeader)?;
        self.message(headers, |message| {
            message.retain(|(other, _)| other != name);
            message.push((name.to_owned(), value.to_owned()));
        })
    }

    fn remove_header(&self, headers: Headers, name: &str) -> Result<(), NotDone> {
        self.done(Function::RemoveHeader)?;
        self.message(headers, |message| {
            message.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        })
    }

    fn reply(&self, status: u16, _: &[(&str, &str)], body: &str) -> Result<(), NotDone> {
        self.done(Function::Reply)?;
        let mut streams = self.0.streams.borrow_mut();
        let stream = streams.get_mut(&self.0.current.get()).ok_or(NotDone)?;
        stream.progress = Progress::Replied(status, body.to_owned());
        drop(streams);
        self.report_within(Function::Reply);
        Ok(())
    }

    fn resume(&self) -> Result<(), NotDone> {
        self.done(Function::Resume)?;
        let mut streams = self.0.streams.borrow_mut();
        let stream = streams.get_mut(&self.0.current.get()).ok_or(NotDone)?;
        assert_eq!(stream.progress, Progress::Held, "resumed twice, or replied");
        stream.progress = Progress::Upstream(stream.head.clone());
        drop(streams);
        self.report_within(Function::Resume);
        Ok(())
    }
}

without_memory!(TestHost);

impl ForeignFunctions for TestHost {
    fn call(&self, _: &str, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

impl Environment for TestHost {
    fn secret(&self, name: &str) -> Option<Secret> {
        let secret = match name {
            "OTHER" => "another-api-key",
            _ => "upstream-api-key",
        };
        Some(Secret::new(secret.to_owned()))
    }
}
