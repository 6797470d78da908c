//! [`Bulk`]: what is being done to many tasks, and how far it is. It goes on when the page is closed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynq_core::inspector::{AuditEntry, Inspector, Selection};
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::actions::{Ask, Matching, Target, TaskKey, Verb};
use crate::audit::{Author, DONE};
use crate::background::{Background, lock};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::visit::Visit;

/// How many may go on at one time.
const AT_A_TIME: usize = 8;

/// How many that have ended can be looked at.
const KEPT: usize = 50;

/// How many failures are kept of one.
const FAILURES: usize = 100;

/// All runs, and the tasks of tokio that do them: they end with it.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    runs: Mutex<BTreeMap<String, Arc<Run>>>,
    doing: Background,
}

/// Something that is being done to many tasks.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) verb: Verb,
    /// Which tasks, in words.
    pub(crate) about: String,
    /// Who asked for it.
    pub(crate) author: Author,
    pub(crate) began: Timestamp,
    /// The queues it changes, if they are named; of all it may.
    queues: Vec<String>,
    stop: AtomicBool,
    progress: Mutex<Progress>,
    ended: Notify,
}

/// How far it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) changed: usize,
    pub(crate) failed: usize,
    /// The first failures.
    pub(crate) failures: Vec<(TaskKey, String)>,
    pub(crate) end: Option<End>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All tasks were reached.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// The store failed.
    Failed(String),
}

impl Bulk {
    /// Begins to do what is asked.
    pub(crate) async fn begin(&self, visit: &Visit, ask: Ask, about: String) -> Result<Arc<Run>, Problem> {
        ask.check(visit).await?;
        let about = match &ask.target {
            // Others may see it who are not shown what was looked for.
            Target::Matching(matching) if matching.filter.clone().through(&visit.shared.masks).is_err() => {
                "tasks that fit a filter on something masked".to_owned()
            }
            _ => about,
        };
        let work = match &ask.target {
            Target::Tasks(keys) => Work::Tasks(keys.iter().cloned().collect()),
            Target::Matching(matching) => {
                Work::Matching(Box::new(matching.selection(visit, Some(&ask.verb)).await?))
            }
        };
        let inspector = visit.inspector_of_all(ask.verb.right())?.clone();
        if let Work::Matching(selection) = &work {
            // A queue that does not exist is refused before anything begins.
            inspector.find(Selection::clone(selection)).await?;
        }
        let queues = match &ask.target {
            Target::Tasks(keys) => keys.iter().map(|key| key.queue.clone()).collect(),
            Target::Matching(Matching { queue: Some(queue), .. }) => vec![queue.clone()],
            Target::Matching(_) if visit.rights().are_limited() => {
                visit.queues(ask.verb.right()).await?.iter().map(ToString::to_string).collect()
            }
            Target::Matching(_) => Vec::new(),
        };
        let run = Arc::new(Run {
            id: format!("{:016x}", fastrand::u64(..)),
            verb: ask.verb,
            about,
            author: visit.author(),
            began: visit.now(),
            queues,
            stop: AtomicBool::new(false),
            progress: Mutex::default(),
            ended: Notify::new(),
        });
        {
            let mut runs = lock(&self.runs);
            if runs.values().filter(|run| !run.has_ended()).count() >= AT_A_TIME {
                let reason =
                    format!("{AT_A_TIME} changes to many tasks are going on: wait for one, or stop it");
                return Err(Problem::new("too_many", reason));
            }
            forget_old(&mut runs);
            runs.insert(run.id.clone(), Arc::clone(&run));
        }
        visit.shared.note(AuditEntry { outcome: format!("began as {}", run.id), ..run.entry() }).await;
        self.doing.spawn(work.done(inspector, Arc::clone(&visit.shared), Arc::clone(&run)));
        Ok(run)
    }

    /// One that the visitor may see.
    pub(crate) fn run(&self, visit: &Visit, id: &str) -> Result<Arc<Run>, Problem> {
        let run = lock(&self.runs).get(id).cloned().filter(|run| run.is_visible_to(visit));
        run.ok_or_else(|| {
            Problem::new("run_not_found", format!("no change to many tasks is known as `{id}`"))
        })
    }

    /// Those that the visitor may see, the latest first.
    pub(crate) fn runs(&self, visit: &Visit) -> Vec<Arc<Run>> {
        let mut runs: Vec<_> =
            lock(&self.runs).values().filter(|run| run.is_visible_to(visit)).cloned().collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.began));
        runs
    }
}

/// Makes room for one more.
fn forget_old(runs: &mut BTreeMap<String, Arc<Run>>) {
    while runs.len() >= KEPT {
        let ended = runs.values().filter(|run| run.has_ended());
        let Some(oldest) = ended.min_by_key(|run| run.began).map(|run| run.id.clone()) else { return };
        runs.remove(&oldest);
    }
}

impl Run {
    /// How far it is.
    pub(crate) fn progress(&self) -> Progress {
        lock(&self.progress).clone()
    }

    fn has_ended(&self) -> bool {
        lock(&self.progress).end.is_some()
    }

    /// Begins no more tasks.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits for its end, but no longer than this.
    pub(crate) async fn wait(&self, limit: Duration) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        ended.as_mut().enable();
        if !self.has_ended() {
            // Whether it ended or not: who asked looks at its progress.
            drop(tokio::time::timeout(limit, ended).await);
        }
    }

    /// Whether the visitor may see what it is about: all the queues it names, or all of them.
    fn is_visible_to(&self, visit: &Visit) -> bool {
        let right = crate::Right::View;
        if self.queues.is_empty() {
            return visit.may_in(right, None);
        }
        self.queues.iter().all(|queue| visit.may(right, queue))
    }

    fn note(&self, key: impl FnOnce() -> TaskKey, result: &asynq_core::Result<()>) {
        let mut progress = lock(&self.progress);
        match result {
            Ok(()) => progress.changed += 1,
            Err(error) => {
                progress.failed += 1;
                if progress.failures.len() < FAILURES {
                    progress.failures.push((key(), format!("{error:?}")));
                }
            }
        }
    }

    /// What is noted of it: what is done to which tasks, by whom.
    fn entry(&self) -> AuditEntry {
        let queue = match self.queues.as_slice() {
            [queue] => queue.clone(),
            _ => String::new(),
        };
        AuditEntry { queue, subject: self.about.clone(), ..self.author.does(self.verb.as_str()) }
    }

    /// Notes how it ended, and then tells it.
    async fn end(&self, shared: &Shared, end: End) {
        let progress = self.progress();
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let outcome = match &end {
            End::Done => DONE.to_owned(),
            End::Stopped => "stopped".to_owned(),
            End::Failed(reason) => reason.clone(),
        };
        let (changed, failed) = (number(progress.changed), number(progress.failed));
        shared.note(AuditEntry { outcome, changed, failed, ..self.entry() }).await;
        lock(&self.progress).end = Some(end);
        self.ended.notify_waiters();
    }
}

/// What is to be done.
enum Work {
    Tasks(Vec<TaskKey>),
    Matching(Box<Selection>),
}

impl Work {
    async fn done(self, inspector: Inspector, shared: Arc<Shared>, run: Arc<Run>) {
        let end = match self {
            Self::Tasks(keys) => {
                for key in keys {
                    if run.is_stopping() {
                        break;
                    }
                    let result = run.verb.apply(&inspector, &key).await;
                    run.note(|| key, &result);
                    // The others would fail likewise, each after its time.
                    if let Err(error) = result
                        && Problem::from(&error).is_outage()
                    {
                        return run.end(&shared, End::Failed(format!("{error:?}"))).await;
                    }
                }
                Ok(())
            }
            Self::Matching(selection) => {
                let watched = Arc::clone(&run);
                let change = inspector.apply_to(*selection, run.verb.action()).watch(move |task, result| {
                    watched.note(|| TaskKey::new(task.queue.as_str(), task.id.as_str()), result);
                    if watched.is_stopping() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                change.await.map(drop)
            }
        };
        let end = match end {
            Err(error) => End::Failed(format!("{error:?}")),
            Ok(()) if run.is_stopping() => End::Stopped,
            Ok(()) => End::Done,
        };
        run.end(&shared, end).await;
    }
}
