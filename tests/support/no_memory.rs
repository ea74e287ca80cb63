//! Hosts of tests whose workers share nothing.

/// Makes a type a host without shared memory: nothing is there, and each write is refused.
macro_rules! without_memory {
    ($host:ty) => {
        impl SharedMemory for $host {
            fn read(&self, _: &str) -> Option<(Vec<u8>, u32)> {
                None
            }

            fn write(&self, _: &str, _: &[u8], _: Option<u32>) -> bool {
                false
            }

            fn create(&self, _: &str, _: &[u8]) -> bool {
                false
            }
        }
    };
}

pub(crate) use without_memory;
