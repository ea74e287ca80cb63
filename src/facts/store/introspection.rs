//! The part of the store that asks providers about tokens.

use super::{wake, Effect, FactStore, Word};
use crate::facts::kinds::token_status::{Inquiries, Queues};
use crate::facts::{CallId, CallResponse};
use crate::policy::ProviderId;
use crate::time::UnixMillis;

impl FactStore {
    /// Asks a provider about the tokens that requests wait for, each token once.
    pub(super) fn ask(&mut self, provider: ProviderId, now: UnixMillis, effects: &mut Vec<Effect>) {
        while let Some(call) = self
            .inquiries(provider)
            .and_then(|asked| asked.lost_call(now))
        {
            effects.extend(self.told(provider, call, CallResponse::NoResponse, now));
        }
        let slot = self.key_sets.get_mut(provider.0);
        let Some(inquiries) = slot.and_then(|slot| slot.inquiries.as_mut()) else {
            return;
        };
        if !inquiries.has_room(now) {
            return;
        }
        let mut queues = Queues::of(self.waiting.askers(provider), inquiries);
        while let Some(asker) = queues.next(inquiries, now) {
            self.last_call = self.last_call.saturating_add(1);
            let call = CallId(self.last_call);
            inquiries.begin(call, &asker, now);
            effects.push(Effect::Ask {
                call,
                provider,
                waiter: asker.id,
            });
        }
    }

    /// A call about a token was answered.
    pub(super) fn told(
        &mut self,
        provider: ProviderId,
        call: CallId,
        answer: CallResponse,
        now: UnixMillis,
    ) -> Vec<Effect> {
        let slot = self.key_sets.get_mut(provider.0);
        let inquiries = slot.and_then(|slot| slot.inquiries.as_mut());
        let Some((inquiries, told)) = inquiries.and_then(|inquiries| {
            let told = inquiries.answered(call, answer, now)?;
            Some((&*inquiries, told))
        }) else {
            return Vec::new();
        };
        let is_active = matches!(told.word, (Word::Active(..), _));
        let mut effects = vec![match told.fault {
            Some(fault) => Effect::Untold(provider, fault),
            None => Effect::Told(provider, is_active),
        }];
        let (word, term) = told.word;
        self.answers.remember(provider, told.token, word, term);
        let woken = self.waiting.take_askers(provider, |token| {
            // Where the provider rests, only those whose call is under way may still get an answer.
            *token == told.token || (told.rests && !inquiries.is_asking(token))
        });
        wake(woken, false, &mut effects);
        effects
    }

    fn inquiries(&mut self, provider: ProviderId) -> Option<&mut Inquiries> {
        let slot = self.key_sets.get_mut(provider.0)?;
        slot.inquiries.as_mut()
    }
}
