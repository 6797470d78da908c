//! What compiles with `#[job]`, and what the compiler says of what does not.
//!
//! The messages are the compiler's as much as ours, so each `.stderr` belongs to the Rust it was made with: 1.95.
//! After a change of either, run with `TRYBUILD=overwrite` and read the difference as a newcomer would.

#[test]
fn forms_that_work_and_messages_for_those_that_do_not() {
    let cases = trybuild::TestCases::new();
    cases.pass("trybuild/pass/*.rs");
    cases.compile_fail("trybuild/fail/*/*.rs");
}
