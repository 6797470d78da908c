#![allow(unused)]

use asynq::job;

struct Report;

#[job]
async fn number() -> u32 {
    1
}

#[job]
async fn no_result() -> Vec<String> {
    vec![]
}

#[job]
async fn not_serializable() -> Result<Report, String> {
    Ok(Report)
}

#[job]
async fn not_an_error() -> Result<(), Report> {
    Ok(())
}

#[job]
async fn hidden() -> impl Sized {}

#[job]
async fn hidden_inside() -> Result<impl Iterator<Item = u8>, String> {
    Ok([1].into_iter())
}

#[job]
async fn never() -> ! {
    panic!()
}

#[job]
async fn borrowed(text: &str) -> Result<&str, std::borrow::Cow<'_, str>> {
    Ok(text)
}

fn main() {}
