//! Which branches get a hint, and how a module says so.

use wasm_encoder::{BranchHint, BranchHints, Module, RawSection};
use wasmparser::{BinaryReaderError, Parser, Payload};

use crate::instrumented::Branch;
use crate::profile::Profile;

/// A branch has a hint if it goes the other way once in this many times, or less.
const RARELY: u64 = 20;

/// A hint: the branch, and whether it is likely to be taken.
pub(crate) type Hint = (Branch, bool);

/// The hints on which the requests of all cases agree. A case that does not come to a branch has no say.
pub(crate) fn hints(branches: &[Branch], profiles: &[Profile]) -> Vec<Hint> {
    let all = branches.iter().enumerate();
    all.filter_map(|(number, branch)| {
        let counts: Vec<_> = profiles.iter().filter_map(|one| one.get(&number)).collect();
        let mostly = |rare: usize, usual: usize| {
            !counts.is_empty()
                && counts
                    .iter()
                    .all(|count| count[rare] * RARELY <= count[rare] + count[usual])
        };
        if mostly(0, 1) {
            Some((*branch, true))
        } else if mostly(1, 0) {
            Some((*branch, false))
        } else {
            None
        }
    })
    .collect()
}

/// The module with these hints, which are in the order of its functions.
pub(crate) fn with_hints(module: &[u8], hints: &[Hint]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut out = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        // The specification wants them before the code.
        if let Payload::CodeSectionStart { .. } = payload {
            out.section(&section(hints));
        }
        if let Some((id, range)) = payload.as_section() {
            let data = &module[range];
            out.section(&RawSection { id, data });
        }
    }
    Ok(out.finish())
}

fn section(hints: &[Hint]) -> BranchHints {
    let mut section = BranchHints::new();
    for of_function in hints.chunk_by(|(one, _), (next, _)| one.function == next.function) {
        let encoded = of_function.iter().map(|(branch, is_likely)| BranchHint {
            branch_func_offset: branch.offset,
            branch_hint_value: u32::from(*is_likely),
        });
        section.function_hints(of_function[0].0.function, encoded);
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRANCH: Branch = Branch {
        function: 3,
        offset: 7,
    };

    fn hint(counts: &[[u64; 2]]) -> Option<bool> {
        let profiles = counts.iter().map(|count| Profile::from([(0, *count)]));
        let profiles: Vec<_> = profiles.chain([Profile::new()]).collect();
        let hints = hints(&[BRANCH], &profiles);
        hints.first().map(|(_, is_likely)| *is_likely)
    }

    #[test]
    fn a_branch_that_nearly_always_goes_one_way_has_a_hint() {
        assert_eq!(hint(&[[0, 1]]), Some(true));
        assert_eq!(hint(&[[1, 0]]), Some(false));
        assert_eq!(hint(&[[1, 19]]), Some(true));
        assert_eq!(hint(&[[19, 1], [4, 0]]), Some(false));
    }

    #[test]
    fn a_branch_on_which_requests_do_not_agree_has_none() {
        assert_eq!(hint(&[]), None);
        assert_eq!(hint(&[[1, 18]]), None);
        assert_eq!(hint(&[[100, 0], [0, 1]]), None);
    }
}
