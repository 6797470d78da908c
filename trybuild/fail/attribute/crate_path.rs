#![allow(unused)]

use asynq::job;

#[job(crate = "::asynq")]
async fn text() {}

#[job(crate = asynq::Foo::<u8>)]
async fn arguments() {}

#[job(crate = 5)]
async fn number() {}

mod not_found {
    #[asynq::job(crate = ::asynk)]
    async fn unresolved(to: &str, ctx: asynq::Ctx) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
