//! Gives the reader `names` what the fuzzer makes up.
#![no_main]
#![allow(dead_code, reason = "what the readers accept is for the tests")]

#[path = "../readers.rs"]
mod readers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for reader in readers::READERS.iter().filter(|reader| reader.name == "names") {
        (reader.read)(bytes);
    }
});
