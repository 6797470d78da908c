//! Options that change the form of a job, alone and together.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use asynq::{Ctx, Job, State, job};

/// A payload type of its own.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Invoice {
    number: u32,
}

/// Blocks.
#[job(blocking, concurrency = 2)]
pub fn resize(path: &std::path::Path, mut width: u32, State(scale): State<u32>, ctx: &Ctx) -> Result<u32, std::io::Error> {
    width *= scale;
    let _ = (path, ctx);
    Ok(width)
}

/// Blocks, and returns nothing.
#[job(blocking)]
fn nothing() {}

/// The argument is the payload.
#[job(transparent, struct = "PayInvoice", aliases = ["invoice:pay", "pay_invoice"])]
pub async fn pay(invoice: Invoice, _ctx: Ctx) {
    drop(invoice);
}

/// Lent, and transparent.
#[job(transparent)]
async fn lent(invoice: &Invoice) {
    let _ = invoice.number;
}

/// All at once.
#[job(
    blocking,
    unregistered,
    rename_all = "kebab-case",
    struct = "Everything",
    aliases = ["everything:1"],
    delay = "5m",
    derive(Debug, Clone),
)]
fn all_at_once(first_name: &str, #[serde(default)] last_name: Option<String>) -> Result<(), String> {
    drop((first_name.to_owned(), last_name));
    Ok(())
}

/// Two jobs of one function name each, in one body.
fn main() {
    #[job(name = "body:a", struct = "A")]
    async fn run() {}
    drop((A {}, Nothing {}, Resize::new("/tmp".into(), 4), Lent::new(Invoice { number: 2 })));
    let pay = PayInvoice::new(Invoice { number: 1 });
    assert_eq!(pay.encode().unwrap(), r#"{"number":1}"#);
    let job = Everything::new("Ann", None).clone();
    assert_eq!(job.encode().unwrap(), r#"{"first-name":"Ann","last-name":null}"#);
    let registered = asynq::jobs().unwrap();
    assert!(registered.iter().any(|job| job.name == "pay") && registered.iter().all(|job| job.name != "all_at_once"));
    let [job] = asynq::jobs![Everything];
    assert_eq!((job.name, job.aliases), ("all_at_once", &["everything:1"][..]));
    asynq::assert_registered!(PayInvoice, Resize, Nothing, A);
    drop((run(), asynq::jobs![A, PayInvoice]));
}
