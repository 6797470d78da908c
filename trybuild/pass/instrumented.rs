//! Other attributes above and below `#[job]`, which see the function as it is.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use asynq::{Ctx, State, job};

#[job]
#[tracing::instrument(skip(db))]
async fn below(to: &str, State(db): State<u8>, count: u32) -> Result<u32, String> {
    let _ = (to, db);
    Ok(count)
}

#[job(name = "instrumented:named")]
#[tracing::instrument(skip_all, err, fields(id = %ctx.task_id()))]
async fn with_fields(#[serde(default)] copies: u8, ctx: &Ctx) -> Result<(), std::io::Error> {
    let _ = copies;
    ctx.task_type();
    Ok(())
}

#[tracing::instrument]
#[must_use]
#[job]
async fn above(x: u8) -> Result<u8, String> {
    Ok(x)
}

fn main() {
    drop((Below::new("ann", 1), WithFields { copies: 1 }, Above::new(2)));
}
