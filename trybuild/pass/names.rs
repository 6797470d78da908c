//! Names that need care: raw, with underscores, of the prelude, and those that generated code uses.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings)]

use ::asynq::job;

#[job]
async fn r#async(r#type: u8, _kept: u8, mut changed: u8) {
    changed += r#type;
    let _ = changed;
}

#[job]
async fn clashes(client: u8, ctx: u8, job: u8, run: u8, core: u8, std: u8, __asynq_ctx: u8) {
    let _ = (client, ctx, job, run, core, std, __asynq_ctx);
}

mod shadows {
    #![allow(dead_code)]

    struct Result;
    struct Option;
    struct Box;
    struct Vec;
    struct String;
    struct Into;
    struct Job;
    mod core {}
    mod std {}
    mod serde {}
    mod inventory {}

    #[::asynq::job(queue = "q", timeout = "1s")]
    async fn shadowed(text: &str, list: &[u8], state: ::asynq::State<u8>) -> ::std::result::Result<(), ::asynq::Error> {
        let _ = (text, list, state);
        ::std::result::Result::Ok(())
    }
}

fn main() {
    let _ = Async { r#type: 1, _kept: 2, changed: 3 };
    let _ = Clashes::new(1, 2, 3, 4, 5, 6, 7);
}
