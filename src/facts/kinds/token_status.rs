//! What a provider says of single tokens: what is remembered, what is being asked, and when it may
//! be asked again.

mod call;
mod fault;
mod queues;
mod read;
mod statuses;

pub use call::status_request;
pub(in crate::facts) use fault::Blame;
pub use fault::IntrospectionFault;
pub(in crate::facts) use queues::Queues;
pub use read::{read_answer, Said};
pub(in crate::facts) use statuses::{Answers, Word};

use std::time::Duration;

use crate::facts::peer::Peer;
use crate::facts::waiting::Asker;
use crate::facts::{schedule, CallId, CallResponse, Outage};
use crate::policy::Introspection;
use crate::time::UnixMillis;
use crate::token::{Term, TokenDigest};

/// The most calls of one worker and provider that are under way at a time: strangers can make up any
/// number of tokens. As many more may be about tokens that were proven: signed, or active when last
/// asked about.
pub const MAX_CALLS: usize = 48;

/// How many calls one caller may have for each that is left for others: alone it has two thirds.
const SHARE: usize = 2;

/// Added to a call's own time limit before it is given up as lost.
const LOST_AFTER: Duration = Duration::from_secs(2);

/// How long a token rests that a provider gave no usable answer about.
const REST: Duration = Duration::from_secs(5);

/// How long a provider that rests is let alone after it was asked about a proven token in vain.
const BETWEEN_PROBES: Duration = Duration::from_secs(1);

/// The most failures in a row that count: nobody waits longer than eight seconds for a provider
/// that is well again.
const MOST_FAILURES: u32 = 4;

/// The calls to one provider about tokens.
#[derive(Debug)]
pub(in crate::facts) struct Inquiries {
    asked: Introspection,
    calls: Vec<Call>,
    failures: u32,
    /// When the last failure came: those of calls that were under way by then are no news.
    failed: UnixMillis,
    last_fault: Option<&'static str>,
    not_before: UnixMillis,
    /// How long it rests.
    pause: Duration,
    /// Until when it is left alone, proven tokens or not: it asked for that itself, or no token can be
    /// the cause of its rest.
    left_alone: UnixMillis,
    /// Before this it is not probed again.
    probe_after: UnixMillis,
}

/// A call that is under way.
#[derive(Debug)]
struct Call {
    id: CallId,
    token: TokenDigest,
    begun: UnixMillis,
    is_proven: bool,
    /// Whose request it was made for.
    peer: Option<Peer>,
    /// It was made though the provider rests.
    is_probe: bool,
}

/// What an answer led to.
pub(in crate::facts) struct Told {
    /// The token that it is about.
    pub(in crate::facts) token: TokenDigest,
    /// What is to be remembered of it.
    pub(in crate::facts) word: (Word, Term),
    /// Why it is of no use.
    pub(in crate::facts) fault: Option<IntrospectionFault>,
    /// Whether nobody is asked about any token for a while.
    pub(in crate::facts) rests: bool,
}

impl Inquiries {
    pub(in crate::facts) const fn new(asked: Introspection) -> Self {
        Self {
            asked,
            calls: Vec::new(),
            failures: 0,
            failed: UnixMillis(0),
            last_fault: None,
            not_before: UnixMillis(0),
            pause: Duration::ZERO,
            left_alone: UnixMillis(0),
            probe_after: UnixMillis(0),
        }
    }

    /// How long a request waits for an answer: it may have to wait for its turn, too.
    pub(in crate::facts) const fn longest(&self) -> Duration {
        self.asked.timeout.saturating_mul(2)
    }

    /// Why nobody is asked about this token now.
    pub(in crate::facts) fn outage(
        &self,
        token: &TokenDigest,
        now: UnixMillis,
        is_proven: bool,
    ) -> Option<Outage> {
        let rests = now < self.not_before && !self.may_probe(now, is_proven);
        (rests && !self.is_asking(token)).then(|| Outage {
            retry_after: self.not_before.since(now),
            fault: self.last_fault,
        })
    }

    /// Whether a provider that rests is asked all the same: about one token at a time that nobody can
    /// have made up, and once in a while. It may be a made-up one that it stumbled over; that must not
    /// keep the others out.
    fn may_probe(&self, now: UnixMillis, is_proven: bool) -> bool {
        let is_probed = self.calls.iter().any(|call| call.is_probe);
        is_proven && !is_probed && now >= self.left_alone.max(self.probe_after)
    }

    /// Whether a call about this token is under way.
    pub(in crate::facts) fn is_asking(&self, token: &TokenDigest) -> bool {
        self.calls.iter().any(|call| call.token == *token)
    }

    /// Whether one more call may begin for any token.
    pub(in crate::facts) fn has_room(&self, now: UnixMillis) -> bool {
        [true, false]
            .iter()
            .any(|is_proven| self.free(*is_proven) > 0)
            && now >= self.left_alone
    }

    /// A caller who has fewer calls than this may have one more. Those about proven tokens do not
    /// count with the others, and the more calls a caller has, the more must be left.
    fn most_calls(&self, now: UnixMillis, is_proven: bool) -> usize {
        if now >= self.not_before {
            self.free(is_proven).saturating_mul(SHARE)
        } else if self.may_probe(now, is_proven) {
            usize::MAX
        } else {
            0
        }
    }

    fn free(&self, is_proven: bool) -> usize {
        let alike = self.calls.iter().filter(|call| call.is_proven == is_proven);
        MAX_CALLS.saturating_sub(alike.count())
    }

    /// Begins a call.
    pub(in crate::facts) fn begin(&mut self, id: CallId, asker: &Asker, now: UnixMillis) {
        self.calls.push(Call {
            id,
            token: asker.token,
            begun: now,
            is_proven: asker.is_proven,
            peer: asker.peer,
            is_probe: now < self.not_before,
        });
    }

    /// Whether this call's answer is still waited for.
    pub(in crate::facts) fn awaits(&self, id: CallId) -> bool {
        self.calls.iter().any(|call| call.id == id)
    }

    /// A call whose answer the host should have brought long ago. A clock that was set back makes
    /// neither a call nor a pause last.
    pub(in crate::facts) fn lost_call(&mut self, now: UnixMillis) -> Option<CallId> {
        self.not_before = self.not_before.min(now.saturating_add(self.pause));
        self.left_alone = self.left_alone.min(self.not_before);
        self.failed = self.failed.min(now);
        self.probe_after = self.probe_after.min(now.saturating_add(BETWEEN_PROBES));
        for call in &mut self.calls {
            call.begun = call.begun.min(now);
        }
        let limit = self.asked.timeout.saturating_add(LOST_AFTER);
        let lost = self.calls.iter().find(|call| now.since(call.begun) > limit);
        lost.map(|call| call.id)
    }

    /// Takes the answer to a call that is awaited.
    pub(in crate::facts) fn answered(
        &mut self,
        id: CallId,
        answer: CallResponse,
        now: UnixMillis,
    ) -> Option<Told> {
        let place = self.calls.iter().position(|call| call.id == id)?;
        let call = self.calls.swap_remove(place);
        let asked_for = answer.retry_after();
        let term = |length| Term {
            since: now,
            until: now.saturating_add(length),
        };
        let told = |word, length, fault, rests| Told {
            token: call.token,
            word: (word, term(length)),
            fault,
            rests,
        };
        Some(match read::read(&self.asked.protocol, answer) {
            Ok(said) => {
                self.ended_well(now);
                let inactive_ttl = self.asked.inactive_ttl;
                match said {
                    Said::Active(claims) => {
                        let length = self.asked.ttl;
                        told(Word::active(claims, term(length)), length, None, false)
                    }
                    Said::Inactive => told(Word::Inactive, inactive_ttl, None, false),
                    Said::Nameless => told(Word::Nameless, inactive_ttl, None, false),
                }
            }
            Err(fault) => {
                let blame = fault.blame(&self.asked.protocol);
                let length = if blame == Blame::Token {
                    let asked_for = asked_for.unwrap_or_default();
                    REST.max(asked_for.min(schedule::LONGEST_ASKED_FOR))
                } else {
                    self.rest(&call, fault.as_str(), blame, asked_for, now)
                };
                let word = Word::Failed(fault.as_str());
                told(word, length, Some(fault), blame != Blame::Token)
            }
        })
    }

    /// The provider answers, so it rests no more. What it asked for stands, though a call from before
    /// that ends well.
    fn ended_well(&mut self, now: UnixMillis) {
        if now >= self.left_alone {
            self.failures = 0;
            self.last_fault = None;
            self.not_before = UnixMillis(0);
            self.left_alone = UnixMillis(0);
            self.probe_after = UnixMillis(0);
        }
    }

    /// Lets the provider rest, and says for how long this fault makes it rest.
    fn rest(
        &mut self,
        call: &Call,
        fault: &'static str,
        blame: Blame,
        asked_for: Option<Duration>,
        now: UnixMillis,
    ) -> Duration {
        if call.begun > self.failed {
            self.failures = self.failures.saturating_add(1).min(MOST_FAILURES);
        }
        self.failed = now;
        self.last_fault = Some(fault);
        if call.is_probe {
            self.probe_after = now.saturating_add(BETWEEN_PROBES);
        }
        let pause = schedule::pause(self.failures, asked_for, now.0 ^ call.id.0);
        let until = now.saturating_add(pause);
        // What it asked for stands, though a call from before that fails otherwise.
        if asked_for.is_some() || blame == Blame::Provider {
            self.left_alone = self.left_alone.max(until);
        }
        self.not_before = self.not_before.max(until);
        self.pause = self.not_before.since(now);
        pause
    }
}
