//! Random runs of the models, which shrink where they fail.

use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The numbers that one step of a model draws. Proptest makes them, so that it can leave out steps and
/// make numbers smaller until a run that fails is short.
#[derive(Clone, Debug, Default)]
pub(super) struct Draws {
    numbers: Vec<u32>,
    next: usize,
}

impl Draws {
    pub(super) fn of(numbers: &[u32]) -> Self {
        Self {
            numbers: numbers.to_vec(),
            next: 0,
        }
    }

    /// A number below `bound`. A step that draws more numbers than it has begins anew.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let number = self.numbers[self.next % self.numbers.len()];
        self.next += 1;
        u64::from(number) % bound
    }
}

/// Runs a model on `cases` sequences of at most so many steps, each of which draws numbers. The number
/// before them is for how the model begins. Each time they are the same ones.
pub(super) fn on_random_steps(cases: u32, most: usize, run: impl Fn(u32, &[[u32; 12]])) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let steps = proptest::collection::vec(any::<[u32; 12]>(), 1..=most);
    let done = runner.run(&(any::<u32>(), steps), |(start, steps)| {
        run(start, &steps);
        Ok(())
    });
    if let Err(failure) = done {
        panic!("{failure}");
    }
}
