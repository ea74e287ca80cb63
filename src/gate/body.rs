//! Bodies of requests, as far as the host has reported them.

use crate::facts::WaiterId;

/// What the host has reported of the body of a request. The host holds the bytes; the gate reads them
/// once, when a decision needs them and all are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// The request has none, or an empty one: the host has nothing to give.
    None,
    /// So many bytes, and more may come.
    Coming(usize),
    /// All of it, so many bytes.
    Whole(usize),
}

/// The bodies that the host holds.
pub trait HeldBodies {
    /// The first `length` bytes of the body of a request that is held.
    fn read(&self, request: WaiterId, length: usize) -> Option<Vec<u8>>;
}

impl RequestBody {
    /// Another part has come, and the host holds `size` bytes now.
    pub(super) fn grow(&mut self, size: usize) {
        *self = Self::Coming(size);
    }

    /// No more will come.
    pub(super) const fn end(&mut self) {
        *self = match *self {
            Self::None | Self::Coming(0) => Self::None,
            Self::Coming(size) | Self::Whole(size) => Self::Whole(size),
        };
    }

    /// The bytes that the host holds.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::None => 0,
            Self::Coming(size) | Self::Whole(size) => size,
        }
    }
}
