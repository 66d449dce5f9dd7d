//! Commands, whatever their arguments contain.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tagcache_client::properties::every_command_is_one_line(data));
