//! From task type to handler: routes, registered jobs, what a handler is given and what it may return.

mod context;
mod expansion;
mod extract;
mod handler;
mod middleware;
mod outcome;
mod registration;
mod router;

pub use context::Ctx;
pub(crate) use context::{CtxParts, StateMap};
#[doc(hidden)]
pub use expansion::{Injected, boxed, decode, extract, layered, requirement};
pub use extract::{ExtractError, FromContext, Requirement, State};
pub use handler::{Handler, HandlerFn, HandlerResult, HandlerService};
pub use middleware::{Middleware, MiddlewareFn, MiddlewareFnService, Next, middleware_fn};
pub use outcome::{
    BadPayload, BoxError, HandlerNotFound, IntoOutcome, Outcome, RetryIn, Revoke, SkipRetry, Verdict,
};
pub use registration::{DuplicateJob, Registration, RunFn, registered};
pub use router::Router;
