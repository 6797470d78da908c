//! [`Exporter`]: tells of all that is stored, at a cost that does not depend on how many ask.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use asynq_core::Result;
use asynq_core::broker::redis::ConnectOptions;
use asynq_core::client::{AsClient, Client};
use asynq_core::inspector::Inspector;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{Instant, timeout};

use crate::exposition::{Family, Kind, text};
use crate::store::{Snapshot, Wanted};

/// For how long an answer is given again, at least and unless set.
const LEAST_AGE: Duration = Duration::from_secs(5);

/// How long one look at the store may take, unless set; Prometheus gives up after ten seconds.
const LIMIT: Duration = Duration::from_secs(5);

/// Tells of the queues, servers and schedules of one store. Cheap to clone; clones share what they read.
///
/// The store is read when somebody asks, once for all who do: what was read is told again for five seconds, and whoever
/// asks meanwhile waits for the read under way. One read costs two commands for each queue (and one for each group), with
/// 64 queues asked about at a time; 5,000 queues take some 10,000 commands.
///
/// | setting | default |
/// |---|---|
/// | [`max_age`](Self::max_age) | 5 s, which is also the least |
/// | [`timeout`](Self::timeout) | 5 s |
/// | [`memory`](Self::memory) | false |
/// | [`entries`](Self::entries) | false |
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_core::task::Task;
/// use asynq_metrics::Exporter;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> asynq_core::Result<()> {
/// let client = Client::in_memory();
/// client.enqueue(Task::new("email:send", "")?).await?;
/// let text = Exporter::new(&client).text().await;
/// assert!(text.contains("asynq_queue_size{queue=\"default\"} 1\n"));
/// assert!(text.contains("asynq_x_up 1\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Exporter {
    source: Arc<Source>,
    wanted: Wanted,
    max_age: Duration,
    limit: Duration,
    last: Arc<Mutex<Option<(Instant, Scrape)>>>,
    errors: Arc<AtomicU64>,
}

/// Where the store is.
enum Source {
    Known(Inspector),
    /// Connected to when somebody asks.
    Later(Box<ConnectOptions>, OnceCell<Inspector>),
}

/// What one look at the store came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scrape {
    /// What to tell. Where the store did not answer, that and no more.
    pub families: Arc<[Family]>,
    /// Why the store could not be read, with all causes.
    pub error: Option<Arc<str>>,
}

impl Exporter {
    /// Tells of what this client's broker stores.
    pub fn new(client: &(impl AsClient + ?Sized)) -> Self {
        Self::of(Source::Known(Inspector::new(client)))
    }

    /// Tells of the Redis at these options, to which it connects when somebody asks for the first time, and at each time
    /// after until it has: the program starts whether or not Redis is there.
    pub fn connecting(options: ConnectOptions) -> Self {
        Self::of(Source::Later(Box::new(options), OnceCell::new()))
    }

    fn of(source: Source) -> Self {
        Self {
            source: Arc::new(source),
            wanted: Wanted::default(),
            max_age: LEAST_AGE,
            limit: LIMIT,
            last: Arc::default(),
            errors: Arc::default(),
        }
    }

    /// How old an answer may be. Less than five seconds counts as five.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age.max(LEAST_AGE);
        self
    }

    /// How long a look at the store may take; then it counts as one that does not answer.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Whether to tell how much memory queues take (`asynq_queue_memory_usage_approx_bytes`): of each queue up to 220
    /// tasks are measured at every look, one command each, which costs Redis more than all the rest.
    #[must_use]
    pub fn memory(mut self, memory: bool) -> Self {
        self.wanted.memory = memory;
        self.alone()
    }

    /// Whether to tell when each entry of a schedule fired last. Its label is the entry's ID, which Go's schedulers make up
    /// anew at every start.
    #[must_use]
    pub fn entries(mut self, entries: bool) -> Self {
        self.wanted.entries = entries;
        self.alone()
    }

    /// What clones have read is not what this one is to tell.
    fn alone(self) -> Self {
        Self { last: Arc::default(), ..self }
    }

    /// Looks at the store, or tells what was read lately. It never fails, and takes twice the [timeout](Self::timeout) at
    /// most: a store that does not answer is a sample, `asynq_x_up 0`, and a cause.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: the next who asks looks for himself.
    pub async fn scrape(&self) -> Scrape {
        match timeout(self.limit * 2, self.shared()).await {
            Ok(scrape) => scrape,
            Err(_elapsed) => self.failed("others who asked before were not answered in time", self.limit * 2),
        }
    }

    /// [`scrape`](Self::scrape), as [`text`].
    ///
    /// # Cancel safety
    ///
    /// As [`scrape`](Self::scrape).
    pub async fn text(&self) -> String {
        text(&self.scrape().await.families)
    }

    /// One look at a time, which all share who wait for it.
    async fn shared(&self) -> Scrape {
        let mut last = self.last.lock().await;
        if let Some((_, scrape)) = last.as_ref().filter(|(at, _)| at.elapsed() < self.max_age) {
            return scrape.clone();
        }
        let begin = Instant::now();
        let read = timeout(self.limit, self.read()).await;
        let took = begin.elapsed();
        let scrape = match read {
            Ok(Ok(snapshot)) => {
                let own = own(true, took, self.errors.load(Ordering::Relaxed));
                Scrape {
                    families: snapshot.families(self.wanted).into_iter().chain(own).collect(),
                    error: None,
                }
            }
            // The debug form is the text with all causes, in one line.
            Ok(Err(error)) => self.failed(&format!("{error:?}"), took),
            Err(_elapsed) => self.failed(&format!("no answer within {:?}", self.limit), took),
        };
        *last = Some((Instant::now(), scrape.clone()));
        scrape
    }

    fn failed(&self, error: &str, took: Duration) -> Scrape {
        let errors = self.errors.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        Scrape { families: own(false, took, errors).into(), error: Some(Arc::from(error)) }
    }

    async fn read(&self) -> Result<Snapshot> {
        let inspector = match &*self.source {
            Source::Known(inspector) => inspector,
            Source::Later(options, inspector) => {
                let connect = async || {
                    let client = Client::connect_with((**options).clone()).await?;
                    Ok::<_, asynq_core::Error>(Inspector::new(&client))
                };
                inspector.get_or_try_init(connect).await?
            }
        };
        Snapshot::read(inspector, self.wanted).await
    }
}

/// What an exporter tells of itself.
fn own(is_up: bool, took: Duration, errors: u64) -> [Family; 3] {
    #[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
    let errors = errors as f64;
    [
        Family::new("asynq_x_up", Kind::Gauge, "1 if the store answered, otherwise 0.")
            .with(f64::from(u8::from(is_up))),
        Family::new(
            "asynq_x_scrape_duration_seconds",
            Kind::Gauge,
            "How long the last look at the store took.",
        )
        .with(took.as_secs_f64()),
        Family::new(
            "asynq_x_scrape_errors_total",
            Kind::Counter,
            "Looks at the store that failed since this exporter started.",
        )
        .with(errors),
    ]
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Options may hold a password.
        f.debug_struct("Exporter")
            .field("wanted", &self.wanted)
            .field("max_age", &self.max_age)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
