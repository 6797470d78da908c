//! Jobs that depend on `cfg`: what is not compiled is not there, with all that belongs to it.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use asynq::job;

#[cfg(all())]
#[job(name = "report:daily")]
async fn report() {}

#[cfg(any())]
#[job(name = "report:daily")]
async fn report(missing: Missing) -> Missing {}

#[job]
#[cfg_attr(all(), doc = "Documented.", inline)]
#[cfg_attr(any(), missing_attribute)]
async fn conditionally_documented(x: u8) {
    #[cfg(any())]
    missing();
    let _ = x;
}

#[cfg(any())]
mod absent {
    #[asynq::job(for = Missing)]
    async fn handler(task: Missing) {}
}

fn main() {
    assert_eq!(asynq::jobs().unwrap().len(), 2);
    asynq::assert_registered!(Report, ConditionallyDocumented);
}
