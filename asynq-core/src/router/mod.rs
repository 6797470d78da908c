//! From task type to handler: routes, registered jobs, what a handler is given and what it may return.

mod aggregator;
mod catalog;
mod context;
mod expansion;
mod extract;
mod handler;
mod middleware;
mod on_cancel;
mod outcome;
mod registration;
mod retry;
mod router;

pub(crate) use aggregator::Aggregators;
pub use aggregator::{
    AggregateResult, Aggregation, Aggregator, AggregatorRegistration, DuplicateAggregator, IntoAggregated,
    StartFn, registered_aggregators,
};
#[doc(hidden)]
pub use aggregator::{aggregate, boxed_aggregation, group_of};
pub use catalog::{
    Catalog, CatalogField, CatalogJob, CatalogOptions, CatalogPayload, Change, ChangeKind, InvalidCatalog,
    export_catalog,
};
pub use context::Ctx;
pub(crate) use context::{CtxParts, StateMap};
#[doc(hidden)]
pub use expansion::{Injected, blocking, boxed, decode, extract, layered, requirement, returns};
pub use extract::{ExtractError, FromContext, Requirement, State};
pub use handler::{Handler, HandlerFn, HandlerResult, HandlerService};
pub use middleware::{Middleware, MiddlewareFn, MiddlewareFnService, Next, middleware_fn};
pub use on_cancel::OnCancel;
pub(crate) use outcome::has_cause;
pub use outcome::{
    BadPayload, BoxError, Cancelled, HandlerNotFound, IntoOutcome, Outcome, PutBack, RetryIn, Revoke,
    SkipRetry, Verdict,
};
#[doc(hidden)]
pub use registration::assert_registered;
pub use registration::{DuplicateJob, HasHandler, JobLayer, Registration, RunFn, registered};
pub use retry::{DelayFn, RetryPolicy, default_delay};
pub use router::Router;
