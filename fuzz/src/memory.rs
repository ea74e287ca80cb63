//! The shared memory of a host.

use std::cell::RefCell;
use std::collections::BTreeMap;

use n8n_idp_gate::facts::SharedMemory;

/// Values with their versions, by name.
#[derive(Default)]
pub(crate) struct Memory(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

impl Memory {
    /// The one value whose name holds this.
    pub(crate) fn named(&self, part: &str) -> Option<(String, Vec<u8>)> {
        let values = self.0.borrow();
        let mut values = values.iter().filter(|(name, _)| name.contains(part));
        values
            .next()
            .map(|(name, (value, _))| (name.clone(), value.clone()))
    }
}

impl SharedMemory for Memory {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        self.0.borrow().get(name).cloned()
    }

    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
        let mut values = self.0.borrow_mut();
        let current = values.get(name).map_or(0, |(_, version)| *version);
        if version.is_some_and(|version| version != current) {
            return false;
        }
        values.insert(name.to_owned(), (value.to_vec(), current + 1));
        true
    }

    fn create(&self, name: &str, value: &[u8]) -> bool {
        self.read(name).is_none() && self.write(name, value, None)
    }
}
