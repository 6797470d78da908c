//! What the worker gives: the context, shared values, and extractors of one's own, in any order and any pattern.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use std::sync::Arc;

use asynq::{Ctx, ExtractError, FromContext, State, job};

/// A shared value.
#[derive(Clone)]
pub struct Db {
    name: String,
}

/// Made from the context.
pub struct Tenant(String);

impl FromContext for Tenant {
    async fn from_context(ctx: &Ctx) -> Result<Self, ExtractError> {
        match ctx.headers().get("tenant") {
            Some(name) => Ok(Self(name.clone())),
            None => Err(ExtractError::new("Tenant", "no header `tenant`")),
        }
    }
}

/// A trait for a part that is exchanged.
pub trait Mailer: Send + Sync {
    /// Sends.
    fn send(&self, to: &str);
}

/// A pattern.
#[job]
pub async fn patterns(State(Db { name }): State<Db>, #[extract] Tenant(tenant): Tenant, id: u64) {
    drop((name, tenant, id));
}

/// The context by reference, lent values, and paths.
#[job]
pub async fn lent(
    ctx: &Ctx,
    to: &str,
    db: &State<Db>,
    #[state] tenant: &Tenant,
    mailer: asynq::State<Arc<dyn Mailer>>,
) {
    mailer.0.send(&format!("{to}{}{}{}", ctx.task_id(), db.0.name, tenant.0));
}

/// The context by value, across an await.
#[job]
pub async fn owned(ctx: asynq::Ctx) -> asynq::Result<()> {
    Patterns::new(1).enqueue(&ctx).await?;
    Lent::new("a").enqueue(&ctx).queue("low").await?;
    Ok(())
}

/// Perhaps.
#[job]
pub async fn optional(db: Option<State<Db>>) {
    drop(db);
}

/// Nothing.
#[job]
pub async fn only_state(_: State<Db>, _: Ctx) {}

mod own_types {
    use asynq::job;

    /// These have the names of asynq's.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Ctx {
        pub x: u8,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct State<T>(pub T);

    #[job]
    pub async fn own(#[arg] ctx: Ctx, #[arg] state: State<u8>) {
        let _ = (ctx.x, state.0);
    }
}

fn main() {
    drop(Patterns { id: 1 });
    drop(OnlyState {});
    drop(own_types::Own { ctx: own_types::Ctx { x: 1 }, state: own_types::State(1) });
}
