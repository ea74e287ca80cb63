//! The native twin of the filter.

fn main() {}
