//! Values: what is encoded comes back, what is not ours does no harm.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tagcache_client::properties::values_come_back(data));
