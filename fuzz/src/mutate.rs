//! A small engine for stable Rust without instrumentation: it mutates seeds.

/// What parsers look for: random bytes rarely meet it.
const WORDS: [&[u8]; 40] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"false",
    b"-1",
    b"0",
    b"1e999",
    b"9007199254740993",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"%2f",
    b"%2e",
    b"%25",
    b"%00",
    b"/",
    b"//",
    b"/../",
    b"/./",
    b";",
    b"\\",
    b"*",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"\xff",
    b"\xc3\xa9",
    b"\xef\xbb\xbf",
    b"Bearer ",
    b".",
    b"=",
    b"\0",
];

/// The longest input that a mutation makes.
const LONGEST: usize = 16 * 1024;

/// A repeatable sequence of random numbers (Marsaglia's xorshift64).
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % bound
    }

    fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }
}

/// One input made of the seeds: a seed with a few changes, some of them parts of other seeds.
pub fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = pick(seeds, random).to_vec();
    for _ in 0..=random.below(4) {
        change(&mut input, seeds, random);
    }
    input.truncate(LONGEST);
    input
}

fn pick<'s>(seeds: &'s [Vec<u8>], random: &mut Random) -> &'s [u8] {
    if seeds.is_empty() {
        return &[];
    }
    &seeds[random.below(seeds.len())]
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let end = (at + 1 + random.below(16)).min(input.len());
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = random.byte(),
        2 => drop(input.drain(at..end)),
        3 => {
            let copy = input[at..end].to_vec();
            let to = random.below(input.len() + 1);
            input.splice(to..to, copy);
        }
        4 => input.truncate(at),
        5 => {
            let other = pick(seeds, random);
            let from = random.below(other.len() + 1);
            let until = (from + 1 + random.below(64)).min(other.len());
            input.splice(at..end, other[from..until].iter().copied());
        }
        6 => input.insert(at, random.byte()),
        _ => {
            let word = WORDS[random.below(WORDS.len())];
            let end = if random.below(2) == 0 { at } else { end };
            input.splice(at..end, word.iter().copied());
        }
    }
}
