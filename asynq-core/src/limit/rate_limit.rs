//! [`RateLimit`]: how many tasks run in a period, over all servers.

use std::fmt;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::sleep;
use tower::{Layer, Service};
use uuid::Uuid;

use crate::broker::{BrokerError, Turn};
use crate::error::{Error, Result};
use crate::job::JobRate;
use crate::router::{BoxError, Ctx, Handler, HandlerResult, HandlerService, Middleware, Outcome, PutBack};

/// Shorter waits are waited for: a task can be put back for whole seconds only.
const SECOND: Duration = Duration::from_secs(1);

/// How long a task is put back when the store does not answer.
const AWAY: Duration = Duration::from_secs(5);

/// The longest period, 31 days.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// Lets so many tasks run in a period, over all servers that share the store; a tower layer, for all jobs of a server,
/// for a router, or for one job (which `#[job(rate = "100/s")]` does in short).
///
/// In no stretch of time as long as the period do more than so many tasks begin. All of them may begin at once; then
/// each place is free again one period after it was taken.
///
/// A task that finds no place is put back (see [`PutBack`]) until its turn: it uses up no retry, is not counted, and
/// keeps its payload, headers, lock and deadline. Go's tools show it in the state retry. Each task that waits has its
/// own turn, behind those that came before it, so a thousand of them do not come back at once to find that there
/// is room for ten. Waits of less than a second, the unit in which tasks are put back, are waited for on the spot.
/// One whose deadline passes before its turn is archived. Tasks that come back later than a minute after their turn,
/// since no server was there to run them, line up again.
///
/// Tasks that Go workers run are not limited.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use asynq_core::client::Client;
/// use asynq_core::limit::RateLimit;
/// use asynq_core::router::{Ctx, Router};
/// use asynq_core::server::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// // For each tenant, 100 calls in a minute.
/// let limit = RateLimit::new("mail-api", 100, Duration::from_secs(60))?
///     .key(|ctx| ctx.headers().get("tenant").cloned().unwrap_or_default());
/// let router = Router::new().route("email:", async |_: Ctx| ())?.layer(&limit);
/// let server = Server::builder(&Client::in_memory()).router(router).start().await?;
/// # server.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RateLimit {
    scope: Arc<str>,
    most: u32,
    period: Duration,
    key: Option<KeyFn>,
}

type KeyFn = Arc<dyn Fn(&Ctx) -> String + Send + Sync>;

impl RateLimit {
    /// The most that may run in a period: every run is remembered for as long.
    pub const MOST: u32 = 10_000;

    /// At most so many tasks in each period. All limits of this name, in whichever process, are one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] when the name is blank, `most` is not from 1 to [`MOST`](Self::MOST), or the period is
    /// not from one second to 31 days.
    pub fn new(name: impl AsRef<str>, most: u32, period: Duration) -> Result<Self> {
        let name = name.as_ref();
        let wrong = |reason: String| Err(Error::InvalidSetting { name: "rate limit", reason });
        if name.trim().is_empty() {
            return wrong("its name must not be blank".to_owned());
        }
        if !(1..=Self::MOST).contains(&most) {
            return wrong(format!("the number of runs must be from 1 to {}, got {most}", Self::MOST));
        }
        if !(SECOND..=LONGEST).contains(&period) {
            return wrong(format!("the period must be from 1 second to 31 days, got {period:?}"));
        }
        Ok(Self::checked(name, most, period))
    }

    fn checked(name: &str, most: u32, period: Duration) -> Self {
        // What follows a colon is a key.
        let scope = name.replace('%', "%25").replace(':', "%3A");
        Self { scope: Arc::from(scope), most, period, key: None }
    }

    /// Counts the tasks of each key by themselves; without, all of them together.
    #[must_use]
    pub fn key(mut self, key: impl Fn(&Ctx) -> String + Send + Sync + 'static) -> Self {
        self.key = Some(Arc::new(key));
        self
    }

    /// Waits for a turn that is near; an error puts the task back.
    async fn admit(&self, ctx: &Ctx) -> Result<(), BoxError> {
        let scope: Arc<str> = match &self.key {
            Some(key) => Arc::from(format!("{}:{}", self.scope, key(ctx))),
            None => Arc::clone(&self.scope),
        };
        let run = Uuid::new_v4().to_string();
        let turn = Turn { scope: &scope, id: ctx.task_id(), run: &run, most: self.most, period: self.period };
        let broker = ctx.client().broker();
        let away = |error: BrokerError| PutBack::new(AWAY, error);
        let Some(wait) = broker.take_turn(&turn).await.map_err(away)? else { return Ok(()) };
        let limited = || RateLimited { scope: Arc::clone(&scope), most: self.most, period: self.period };
        if wait >= SECOND {
            return Err(PutBack::new(wait, limited()).into());
        }
        tokio::select! {
            () = ctx.cancelled() => return Err(PutBack::new(wait, limited()).into()),
            () = sleep(wait) => {}
        }
        match broker.take_turn(&turn).await.map_err(away)? {
            None => Ok(()),
            Some(wait) => Err(PutBack::new(wait, limited()).into()),
        }
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, most, period, key } = self;
        f.debug_struct("RateLimit")
            .field("scope", scope)
            .field("most", most)
            .field("period", period)
            .field("has_key", &key.is_some())
            .finish()
    }
}

impl<S> Layer<S> for RateLimit
where
    S: Service<Ctx, Response = Outcome, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    type Service = RateLimitedService;

    fn layer(&self, inner: S) -> RateLimitedService {
        RateLimitedService { limit: self.clone(), inner: HandlerService::new(Handler::service(inner)) }
    }
}

/// What a [`RateLimit`] makes of a handler.
#[derive(Clone, Debug)]
pub struct RateLimitedService {
    limit: RateLimit,
    inner: HandlerService,
}

impl Service<Ctx> for RateLimitedService {
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, HandlerResult>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, ctx: Ctx) -> Self::Future {
        let Self { limit, mut inner } = self.clone();
        Box::pin(async move {
            limit.admit(&ctx).await?;
            inner.call(ctx).await
        })
    }
}

/// Why a task was put back: so many ran in this period already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limit `{scope}`: {most} in {period:?}")]
pub struct RateLimited {
    scope: Arc<str>,
    most: u32,
    period: Duration,
}

/// The handler of a job with `rate = "…"`, whose numbers were checked when it was compiled.
pub(crate) fn rate_limited(handler: Handler, name: &str, rate: JobRate) -> Handler {
    RateLimit::checked(name, rate.most, rate.period).wrap(handler)
}
