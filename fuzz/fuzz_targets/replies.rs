//! Replies, however they are cut into segments.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tagcache_client::properties::any_split_reads_alike(data));
