//! What is told to the linter about a function or an argument holds for it, and strict crates need tell nothing.
#![forbid(unsafe_code, missing_docs)]
#![deny(
    warnings,
    clippy::pedantic,
    dead_code,
    missing_debug_implementations,
    non_snake_case,
    unreachable_pub,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]

use asynq::job;

#[job]
#[allow(unused_mut)]
async fn allowed(mut never_changed: u8, #[allow(unused_variables)] unused: u8) {
    let _ = never_changed;
}

#[job]
#[expect(clippy::unused_async, reason = "clippy alone knows")]
async fn expected(x: u8) {
    let _ = x;
}

#[allow(non_snake_case)]
#[job(struct = "Sent")]
async fn sendEmail(to: &str) {
    let _ = to;
}

mod private {
    #[asynq::job]
    pub(crate) async fn nobody_enqueues_it(x: u8) {
        let _ = x;
    }
}

fn main() {
    let _ = (Allowed { never_changed: 1, unused: 2 }, Expected::new(1), Sent::new("ann"));
}
