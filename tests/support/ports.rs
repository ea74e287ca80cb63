//! Free loopback ports.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

use super::Outcome;

/// The first port that is given out.
const FIRST: u16 = 12_000;

/// How many ports were given out.
static GIVEN: AtomicU16 = AtomicU16::new(0);

/// A port on which no program listened a moment ago. It is given out once, and is none of those that the
/// kernel gives to connections: one of them could take it before its server listens.
pub(crate) fn free() -> Outcome<u16> {
    let Range { start, end } = range();
    let count = u32::from(end.saturating_sub(start)).max(1);
    // Test programs that run side by side begin at different ports.
    let begin = process::id().wrapping_mul(499);
    for _ in 0..1000 {
        let next = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed).into());
        let offset = u16::try_from(next.checked_rem(count).unwrap_or_default())?;
        let port = start.saturating_add(offset);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no free loopback port was found".into())
}

/// The ports below those of connections.
fn range() -> Range<u16> {
    let known = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let known = known.ok();
    let first = known
        .as_deref()
        .and_then(|known| known.split_whitespace().next());
    let first = first.and_then(|first| first.parse().ok());
    FIRST..first.filter(|first| *first > FIRST).unwrap_or(32_768)
}

/// Fails with the name of the purpose if `port` is in use.
pub(crate) fn require_free(port: u16, purpose: &str) -> Outcome<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Err(format!("port {port} of 127.0.0.1 is taken; {purpose} needs it").into())
        }
        Err(error) => Err(error.into()),
    }
}

#[test]
fn no_connection_gets_a_port_that_is_given_out() {
    let given: std::collections::BTreeSet<_> = (0..20).map(|_| free().ok()).collect();
    assert_eq!(given.len(), 20, "each once");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let of_kernel = listener.and_then(|listener| listener.local_addr());
    let of_kernel = of_kernel.ok().map(|address| address.port());
    assert!(
        given.iter().all(|given| *given < of_kernel),
        "{of_kernel:?}"
    );
}
