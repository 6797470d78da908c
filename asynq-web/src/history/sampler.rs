//! [`History`]: looks at the store now and then, as long as the service lives.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::{Inspector, QueueInfo, ServerRunTimes};
use asynq_core::task::QueueName;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::samples::{Samples, Scope};
use super::{Point, Runs, RunsOf, Span};
use crate::background::{Background, lock};

/// Time between two samples.
const INTERVAL: Duration = Duration::from_secs(10);

/// The second one comes sooner, so that there is something to see.
const SOON: Duration = Duration::from_secs(1);

/// Between two samples lies this many times the time that taking one took.
const CALM: u32 = 20;

/// But never more than this.
const LONGEST: Duration = Duration::from_secs(60);

/// How long a look at a chart counts.
const WATCHED: Duration = Duration::from_secs(60);

/// When samples are taken for the charts of the last two days, see [`WebUi::history`](crate::WebUi::history).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sampling {
    /// While somebody looks at a chart: a chart begins when it is looked at, and nobody costs Redis nothing.
    #[default]
    WhileWatched,
    /// As long as the service lives, from its first request on ([`serve`](crate::WebService::serve): from the start): so
    /// that charts have a past.
    Always,
}

/// What charts are made of, and the task of tokio that fills it: it ends with it.
#[derive(Debug, Default)]
pub(crate) struct History {
    sampling: Sampling,
    kept: Arc<Kept>,
    sampler: Background,
}

/// What the sampler and those who read share.
#[derive(Debug, Default)]
struct Kept {
    samples: Mutex<Samples>,
    /// When a chart was looked at last.
    watched: Mutex<Option<Instant>>,
}

impl History {
    pub(crate) fn new(sampling: Sampling) -> Self {
        Self { sampling, ..Self::default() }
    }

    /// A request came: begins, if samples are always taken.
    pub(crate) fn wake(&self, client: &Client) {
        if self.sampling == Sampling::Always {
            self.start(client);
        }
    }

    /// Somebody looks at a chart.
    pub(super) fn look(&self, client: &Client) {
        *lock(&self.kept.watched) = Some(Instant::now());
        self.start(client);
    }

    fn start(&self, client: &Client) {
        self.sampler.spawn_if_idle(|| sample(Arc::clone(&self.kept), client.clone(), self.sampling));
    }

    /// Whether the past is there, or begins when somebody looks.
    pub(crate) fn is_always(&self) -> bool {
        self.sampling == Sampling::Always
    }

    /// When the last sample was taken; `None` while there is none, or the store does not answer.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        lock(&self.kept.samples).last()
    }

    /// The queues that hold tasks which failed, as the last sample says; `None` where there is none of late.
    pub(crate) fn failing(&self, now: Timestamp) -> Option<Vec<QueueName>> {
        let since = now.checked_sub(LONGEST + INTERVAL).unwrap_or(Timestamp::MIN);
        lock(&self.kept.samples).failing(since)
    }

    /// Whether a queue is kept by itself.
    pub(crate) fn tracks(&self, queue: &str) -> bool {
        lock(&self.kept.samples).tracks(queue)
    }

    /// What queues did in each step of a span, and how they stood.
    pub(crate) fn series(&self, scope: &Scope<'_>, span: Span) -> Vec<Option<Point>> {
        lock(&self.kept.samples).series(scope, span)
    }

    /// What ran in each step of a span, of the queues and types that are wanted.
    pub(crate) fn run_series(&self, span: Span, wanted: impl Fn(&str, &str) -> bool) -> Vec<Option<Runs>> {
        lock(&self.kept.samples).run_series(span, wanted)
    }

    /// What ran in all of a span, by queue and type.
    pub(crate) fn run_table(&self, span: Span, wanted: impl Fn(&str, &str) -> bool) -> Vec<RunsOf> {
        lock(&self.kept.samples).run_table(span, wanted)
    }
}

/// Takes samples, as long as they are wanted.
async fn sample(kept: Arc<Kept>, client: Client, sampling: Sampling) {
    let (inspector, clock) = (Inspector::new(&client), client.broker().clock().clone());
    let mut is_away = false;
    let mut pause = SOON;
    loop {
        let began = Instant::now();
        match look(&inspector).await {
            Ok((queues, told)) => {
                lock(&kept.samples).take(&queues, told, clock.now());
                is_away = false;
            }
            Err(error) => {
                lock(&kept.samples).miss();
                if !is_away {
                    tracing::warn!(%error, "charts have a gap while the store does not answer");
                }
                is_away = true;
            }
        }
        let took = began.elapsed();
        sleep(pause.max((took * CALM).min(LONGEST))).await;
        let is_watched = lock(&kept.watched).is_some_and(|watched| watched.elapsed() < WATCHED);
        if sampling == Sampling::WhileWatched && !is_watched {
            return;
        }
        pause = until_next(clock.now());
    }
}

/// How queues stand, and what servers tell.
async fn look(inspector: &Inspector) -> asynq_core::Result<(Vec<QueueInfo>, Vec<ServerRunTimes>)> {
    Ok((inspector.queue_counts().await?, inspector.run_times().await?))
}

/// How long it is to the sample after one that is taken now: to the middle of the next slot, so that each gets one
/// however sleeping varies.
fn until_next(now: Timestamp) -> Duration {
    let slot = i64::try_from(INTERVAL.as_millis()).unwrap_or(i64::MAX);
    let into = now.as_millisecond().rem_euclid(slot);
    let rest = Duration::from_millis(u64::try_from(slot + slot / 2 - into).unwrap_or(0));
    // Not sooner than a quarter of the usual time.
    if rest > INTERVAL + INTERVAL / 4 { rest.saturating_sub(INTERVAL) } else { rest }
}
