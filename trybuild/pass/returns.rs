//! What a job may return.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use asynq::{BoxError, Job, SkipRetry, job};

/// A result.
#[derive(serde::Serialize)]
pub struct Receipt {
    /// An ID.
    pub id: u64,
}

/// An error.
#[derive(Debug)]
pub struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

impl std::error::Error for Failed {}

#[job]
async fn nothing() {}

#[job]
async fn unit() -> () {}

#[job]
async fn any_error() -> anyhow::Result<()> {
    anyhow::bail!("no")
}

#[job]
async fn with_result() -> anyhow::Result<Receipt> {
    Ok(Receipt { id: 1 })
}

#[job]
async fn own_error(fail: bool) -> Result<u32, Failed> {
    if fail { Err(Failed) } else { Ok(1) }
}

#[job]
async fn text_error() -> Result<(), String> {
    Err("no".into())
}

#[job]
async fn static_text() -> Result<&'static str, &'static str> {
    Ok("yes")
}

#[job]
async fn boxed_error() -> Result<(), BoxError> {
    Err(SkipRetry::new(Failed).into())
}

type Bytes = Result<Vec<u8>, Failed>;

#[job]
async fn alias() -> Bytes {
    Ok(vec![])
}

fn output<J: Job<Output = T>, T>() {}

fn main() {
    output::<Nothing, ()>();
    output::<Unit, ()>();
    output::<AnyError, ()>();
    output::<WithResult, Receipt>();
    output::<OwnError, u32>();
    output::<StaticText, &'static str>();
    output::<Alias, Vec<u8>>();
    drop(AnyError {});
}
