//! The contestants that are compared.

use super::Aim;
use crate::contestants::chain;
use crate::contestants::traffic::{API_KEY, FORGED, FORGED_ES, REPEATED, UNIQUE, UNIQUE_ES};

/// What is compared, two contestants of which the first is divided by the second, and the aim.
type Pair<C> = (&'static str, C, C, Option<Aim>);

/// Rates, of chains with what is sent to them.
pub(super) const RATES: [Pair<(&str, &str)>; 13] = [
    (
        "repeated tokens: gate / native chain with token cache",
        (chain::GATE, REPEATED),
        (chain::NATIVE_CACHED, REPEATED),
        Some(Aim::AtLeast(1.25)),
    ),
    (
        "repeated tokens: the gate's calls alone / native chain with token cache",
        (chain::FLOOR, REPEATED),
        (chain::NATIVE_CACHED, REPEATED),
        None,
    ),
    (
        "repeated tokens, all identity headers: gate / native chain with token cache",
        (chain::GATE_NAMES, REPEATED),
        (chain::NATIVE_NAMES, REPEATED),
        None,
    ),
    (
        "unique RS256 tokens: gate / native chain",
        (chain::GATE, UNIQUE),
        (chain::NATIVE, UNIQUE),
        Some(Aim::AtLeast(1.15)),
    ),
    (
        "unique RS256 tokens: the gate's calls alone / native chain",
        (chain::FLOOR_RS256, UNIQUE),
        (chain::NATIVE, UNIQUE),
        None,
    ),
    (
        "forged tokens, refused: gate / native chain (by `jwt_authn`)",
        (chain::GATE, FORGED),
        (chain::NATIVE, FORGED),
        Some(Aim::AtLeast(1.0)),
    ),
    (
        "forged tokens, refused: the gate's calls alone / native chain",
        (chain::FLOOR_REFUSES, FORGED),
        (chain::NATIVE, FORGED),
        None,
    ),
    (
        "unique ES256 tokens: gate / native chain",
        (chain::GATE, UNIQUE_ES),
        (chain::NATIVE, UNIQUE_ES),
        Some(Aim::AtLeast(1.1)),
    ),
    (
        "unique ES256 tokens: the gate's calls alone / native chain",
        (chain::FLOOR_ES256, UNIQUE_ES),
        (chain::NATIVE, UNIQUE_ES),
        None,
    ),
    (
        "forged ES256 tokens, refused: gate / native chain",
        (chain::GATE, FORGED_ES),
        (chain::NATIVE, FORGED_ES),
        None,
    ),
    (
        "API key: gate / native chain",
        (chain::GATE, API_KEY),
        (chain::NATIVE, API_KEY),
        Some(Aim::AtLeast(1.0)),
    ),
    (
        "API key: the gate's calls alone / native chain",
        (chain::FLOOR_PASSES, API_KEY),
        (chain::NATIVE, API_KEY),
        None,
    ),
    (
        "unique RS256 tokens: `crypto: auto` / `crypto: guest`",
        (chain::GATE, UNIQUE),
        (chain::GATE_GUEST, UNIQUE),
        None,
    ),
];

/// Processor times of Envoy for each request, of chains with repeated tokens.
pub(super) const COSTS: [Pair<&str>; 9] = [
    (
        "repeated tokens: gate / WebAssembly that does nothing",
        chain::GATE,
        chain::NOTHING,
        Some(Aim::AtMost(1.45)),
    ),
    (
        "repeated tokens: the gate's calls alone / WebAssembly that does nothing",
        chain::FLOOR,
        chain::NOTHING,
        None,
    ),
    (
        "repeated tokens: gate / WebAssembly, 2 reads and 2 writes",
        chain::GATE,
        chain::TRIVIAL,
        None,
    ),
    (
        "repeated tokens: 10 000 principals / 10",
        chain::GATE_10000,
        chain::GATE,
        Some(Aim::AtMost(1.05)),
    ),
    (
        "repeated tokens: audit to a file of its own (access log) / no audit",
        chain::GATE_RECORDS,
        chain::GATE,
        Some(Aim::AtMost(1.3)),
    ),
    (
        "repeated tokens: the gate's calls alone, audit to a file of its own / no audit",
        chain::FLOOR_RECORDS,
        chain::FLOOR,
        None,
    ),
    (
        "repeated tokens: audit to Envoy's log / no audit",
        chain::GATE_AUDIT,
        chain::GATE,
        Some(Aim::AtMost(1.3)),
    ),
    (
        "repeated tokens: the gate's calls alone, audit to Envoy's log / no audit",
        chain::FLOOR_AUDIT,
        chain::FLOOR,
        None,
    ),
    (
        "WebAssembly that does nothing / no filter",
        chain::NOTHING,
        chain::NONE,
        None,
    ),
];
