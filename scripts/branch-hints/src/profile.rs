//! How often each branch is taken.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::cases::Case;
use crate::exchanges::run;

/// By the number of a branch: how often it was not taken, and how often it was.
pub(crate) type Profile = BTreeMap<usize, [u64; 2]>;

/// The branches that the requests of this case come to.
pub(crate) fn profile(instrumented: &[u8], case: &Case) -> Profile {
    thread_local!(static SEEN: RefCell<Profile> = RefCell::default());
    run(instrumented, case, |number, is_taken| {
        SEEN.with_borrow_mut(|seen| seen.entry(number).or_default()[usize::from(is_taken)] += 1);
    });
    SEEN.take()
}
