//! What a registered job needs from the server.
#![forbid(unsafe_code)]
#![deny(warnings)]

use std::sync::Arc;

use asynq::router::registered;
use asynq::{Ctx, ExtractError, FromContext, State, job};

#[derive(Clone)]
struct Db;

struct Tenant;

impl FromContext for Tenant {
    async fn from_context(_: &Ctx) -> Result<Self, ExtractError> {
        Ok(Self)
    }
}

#[job]
async fn with_state(State(db): State<Db>, shared: &State<Arc<str>>, id: u64) {
    drop((db, shared.0.clone(), id));
}

#[job]
async fn without(ctx: Ctx, by_reference: &Ctx, optional: Option<State<Db>>, #[extract] _: Tenant, id: u64) {
    drop((ctx, by_reference.clone(), optional, id));
}

fn main() {
    let jobs = registered().unwrap();
    let required = |name: &str| {
        let job = jobs.iter().find(|job| job.name == name).unwrap();
        let required = job.requires.iter().filter_map(|requires| requires());
        required.map(|requirement| format!("{requirement:?}")).collect::<Vec<_>>()
    };
    let [db, shared] = &required("with_state")[..] else { panic!("one for each `State`") };
    assert!(db.contains("Db") && shared.contains("Arc<str>"), "{db} {shared}");
    assert_eq!(required("without"), Vec::<String>::new());
}
