//! [`AggregatorLoop`]: finds the groups that are ready, and has each made into one task.
//!
//! ```text
//! look (every second at most) ─► ready groups, longest waiting first ─► stage ─► AggregationRun (a few at a time)
//! ```
//!
//! It looks again when the next group will be ready. What fails rests for a while, with its tasks in their set, where
//! no other server takes them sooner.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::BadPayloads;
use super::aggregation::{AggregationRun, Ended, Staged};
use super::mended::Mender;
use super::processor::Control;
use super::queues::Queues;
use crate::background::Backoff;
use crate::broker::{Broker, BrokerError, GroupRule, GroupState, LARGEST_SET, Place, SetName};
use crate::client::Client;
use crate::clock::from_unix_seconds;
use crate::job::GroupSettings;
use crate::router::{Aggregators, StateMap};
use crate::task::{QueueName, wire_seconds};

const _: () = assert!(GroupSettings::LARGEST == LARGEST_SET);

/// Longest time between looks: how late a group may be seen to be large enough, or a dead server's set to be free.
const LONGEST: Duration = Duration::from_secs(1);

/// Time between looks of a server that aggregates nothing, and only warns.
const IDLE: Duration = Duration::from_secs(60);

/// How many pages of a queue's groups it looks at: it warns of types, which many groups share.
const IDLE_PAGES: usize = 10;

/// Looking takes at most one part in this many of the time.
const SPARE: u32 = 10;

/// How many ready groups are kept from one look.
const READY_LIMIT: usize = 100;

/// How much longer than its grace period a group may wait before it looks as if nobody aggregated it.
const FORGOTTEN: i64 = 60;

/// How many groups that rest are kept in mind.
const RESTING_LIMIT: usize = 10_000;

/// How groups are aggregated.
#[derive(Debug)]
pub(super) struct GroupSetup {
    pub(super) aggregators: Aggregators,
    pub(super) settings: GroupSettings,
    pub(super) by_queue: BTreeMap<QueueName, GroupSettings>,
    /// How many aggregations run at a time.
    pub(super) limit: usize,
}

impl Default for GroupSetup {
    fn default() -> Self {
        Self {
            aggregators: Aggregators::default(),
            settings: GroupSettings::new(),
            by_queue: BTreeMap::new(),
            limit: 3,
        }
    }
}

impl GroupSetup {
    /// The settings of an aggregator's groups in a queue.
    pub(super) fn settings(&self, queue: &QueueName, aggregator: GroupSettings) -> GroupSettings {
        let of_queue = self.by_queue.get(queue).copied().unwrap_or_default();
        self.settings.overlaid_by(of_queue).overlaid_by(aggregator)
    }

    /// The rule for a group, by the aggregator of its oldest task, or of its newest where that has none. `None` when
    /// nothing here can be done with it.
    fn rule(&self, queue: &QueueName, group: &GroupState) -> Option<GroupRule> {
        let types = || group.types.iter().flatten();
        let aggregator = types().find_map(|task_type| self.aggregators.choose(queue, task_type));
        // What has no type that can be read has to be looked at by somebody: one that aggregates anything.
        let is_unreadable = types().next().is_none();
        if aggregator.is_none() && (self.aggregators.is_empty() || !is_unreadable) {
            return None;
        }
        let own = aggregator.map(|aggregator| aggregator.settings).unwrap_or_default();
        let settings = self.settings(queue, own);
        Some(GroupRule {
            max_size: settings.max_size,
            max_delay: settings.max_delay.map(wire_seconds),
            grace: wire_seconds(settings.grace.unwrap_or(GroupSettings::DEFAULT_GRACE)),
        })
    }
}

/// Everything that an aggregation needs.
pub(super) struct Workplace {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) client: Client,
    pub(super) states: Arc<StateMap>,
    pub(super) groups: GroupSetup,
    pub(super) bad_payloads: BadPayloads,
}

/// Aggregates groups until told to stop; then lets what runs finish, and gives the rest back.
pub(super) struct AggregatorLoop {
    workplace: Arc<Workplace>,
    queues: Queues,
    running: JoinSet<Ended>,
    /// What each task of `running` works on.
    staged: HashMap<Id, Staged>,
    /// The last is next.
    ready: Vec<Ready>,
    resting: HashMap<(QueueName, String), Rest>,
    mender: Mender,
    /// More groups were ready than were kept.
    has_more: bool,
    /// What was warned of: a queue and a task type.
    warned: HashSet<(QueueName, String)>,
}

/// A group that was ready when it was looked at.
#[derive(Clone)]
struct Ready {
    since: i64,
    queue: QueueName,
    group: String,
    rule: GroupRule,
    /// How many tasks it holds beyond those that are to be staged.
    beyond: usize,
}

/// A group that is left alone for a while.
struct Rest {
    until: Instant,
    failures: u32,
}

/// What there is to do next.
enum Event {
    Stop,
    Ended(Result<(Id, Ended), JoinError>),
    Look,
}

impl AggregatorLoop {
    pub(super) fn new(workplace: impl Into<Arc<Workplace>>, queues: Queues) -> Self {
        Self {
            workplace: workplace.into(),
            queues,
            running: JoinSet::new(),
            staged: HashMap::new(),
            ready: Vec::new(),
            resting: HashMap::new(),
            mender: Mender::default(),
            has_more: false,
            warned: HashSet::new(),
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken, control: watch::Receiver<Control>) {
        let mut backoff = Backoff::new("aggregator");
        let mut next_look = Instant::now();
        while !stop.is_cancelled() {
            if let Err(error) = self.stage_ready().await {
                next_look = Instant::now() + backoff.failed(&error);
            }
            let event = tokio::select! {
                biased;
                () = stop.cancelled() => Event::Stop,
                Some(ended) = self.running.join_next_with_id() => Event::Ended(ended),
                () = sleep_until(next_look) => Event::Look,
            };
            match event {
                Event::Stop => break,
                Event::Ended(ended) => {
                    self.ended(ended, Instant::now());
                    if self.has_more && self.ready.is_empty() {
                        next_look = Instant::now();
                    }
                }
                Event::Look => {
                    let began = Instant::now();
                    let longest = if self.is_idle() { IDLE } else { LONGEST };
                    let delay = match self.look(&stop, began).await {
                        Ok(next) => {
                            backoff.worked();
                            next.min(longest).max(began.elapsed() * SPARE)
                        }
                        Err(error) => backoff.failed(&error),
                    };
                    next_look = Instant::now() + delay;
                }
            }
        }
        self.drain(control).await;
    }

    /// What the loop does by the passing of time, done once, for the testing kit: aggregates all that is ready at this
    /// time; how long until something else may be.
    pub(super) async fn step(&mut self, now: Instant) -> Result<Duration, BrokerError> {
        let stop = CancellationToken::new();
        loop {
            let next = self.look(&stop, now).await?;
            if self.ready.is_empty() {
                return Ok(next);
            }
            while !self.ready.is_empty() {
                self.stage_ready().await?;
                while let Some(ended) = self.running.join_next_with_id().await {
                    self.ended(ended, now);
                }
            }
        }
    }

    /// Whether it aggregates nothing, and only warns.
    fn is_idle(&self) -> bool {
        self.workplace.groups.aggregators.is_empty()
    }

    /// Stages groups that are ready while there are places for them.
    async fn stage_ready(&mut self) -> Result<(), BrokerError> {
        while self.running.len() < self.workplace.groups.limit {
            let Some(ready) = self.ready.pop() else { break };
            let Ready { queue, group, rule, .. } = ready.clone();
            let set = SetName::new(&group);
            if self.workplace.broker.stage_group(&queue, &set, &rule).await? {
                if ready.beyond > 0 {
                    let beyond = ready.beyond.saturating_sub(rule.set_size());
                    self.ready.insert(0, Ready { beyond, ..ready });
                }
                let failures = self.resting.get(&(queue.clone(), group)).map_or(0, |rest| rest.failures);
                let staged = Staged { queue, set };
                let run = AggregationRun::new(Arc::clone(&self.workplace), staged.clone(), failures);
                let id = self.running.spawn(run.run()).id();
                self.staged.insert(id, staged);
            }
        }
        Ok(())
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>, now: Instant) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, ended),
            Err(error) => {
                // What the user wrote runs in a task of its own. Its set comes back when its time is up.
                tracing::error!(%error, "an aggregation broke off");
                (error.id(), Ended::default())
            }
        };
        let Some(Staged { queue, set }) = self.staged.remove(&id) else { return };
        let key = (queue, set.group);
        match ended.rest {
            Some(rest) if self.resting.len() < RESTING_LIMIT || self.resting.contains_key(&key) => {
                let failures = ended.failures;
                self.resting.insert(key, Rest { until: now + rest, failures });
            }
            _ => drop(self.resting.remove(&key)),
        }
    }

    /// Looks at all groups of all queues: how long until what is there now may be ready.
    async fn look(&mut self, stop: &CancellationToken, now: Instant) -> Result<Duration, BrokerError> {
        let broker = Arc::clone(&self.workplace.broker);
        let idle = self.is_idle();
        let mut next = Duration::MAX;
        let mut ready = Vec::new();
        let queues = self.queues.names();
        for queue in broker.occupied(Place::Groups, &queues).await? {
            if !idle {
                next = next.min(self.reclaim(&queue).await?);
            }
            let mut cursor = 0;
            for _ in 0..if idle { IDLE_PAGES } else { usize::MAX } {
                let page = broker.groups(&queue, cursor).await?;
                for group in page.groups {
                    next = next.min(self.consider(&queue, group, now, &mut ready));
                }
                cursor = page.next;
                if cursor == 0 || stop.is_cancelled() {
                    break;
                }
            }
        }
        for queue in queues.iter().filter(|_| !idle) {
            self.mender.mend(&*broker, queue).await?;
        }
        ready.sort_by_key(|ready: &Ready| std::cmp::Reverse(ready.since));
        // The others are found again by the next look.
        self.has_more = ready.len() > READY_LIMIT;
        let behind = ready.len().saturating_sub(READY_LIMIT);
        self.ready = ready.split_off(behind);
        Ok(next)
    }

    /// Puts back what others left in their sets; how long until there may be more of it.
    async fn reclaim(&mut self, queue: &QueueName) -> Result<Duration, BrokerError> {
        loop {
            let reclaimed = self.workplace.broker.reclaim_sets(queue).await?;
            if reclaimed.sets > 0 {
                tracing::debug!(%queue, sets = reclaimed.sets, "tasks of aggregation sets were put back into their groups");
            }
            match reclaimed.next_due {
                None => return Ok(Duration::MAX),
                Some(due) if due > self.workplace.broker.clock().unix_seconds() => return Ok(self.until(due)),
                Some(_) => {}
            }
        }
    }

    /// The time left until a second.
    fn until(&self, second: i64) -> Duration {
        let wait = from_unix_seconds(second).duration_since(self.workplace.broker.clock().now());
        Duration::try_from(wait).unwrap_or_default()
    }

    /// Keeps a group that is ready; tells how long it will take until it is.
    fn consider(
        &mut self,
        queue: &QueueName,
        group: GroupState,
        now: Instant,
        ready: &mut Vec<Ready>,
    ) -> Duration {
        let second = self.workplace.broker.clock().unix_seconds();
        let Some(rule) = self.workplace.groups.rule(queue, &group) else {
            self.warn_of(queue, &group, second);
            return Duration::MAX;
        };
        self.mender.saw(queue, &group.name);
        let key = (queue.clone(), group.name);
        if let Some(rest) = self.resting.get(&key)
            && let Some(left) = rest.until.checked_duration_since(now).filter(|left| !left.is_zero())
        {
            return left;
        }
        let (queue, name) = key;
        let state = GroupState { name, ..group };
        let since = rule.ready_at(&state);
        if since <= second {
            let beyond = state.size.saturating_sub(rule.set_size());
            ready.push(Ready { since, queue, group: state.name, rule, beyond });
            return Duration::MAX;
        }
        self.until(since)
    }

    /// Says once that tasks may wait forever.
    fn warn_of(&mut self, queue: &QueueName, group: &GroupState, now: i64) {
        let settings = self.workplace.groups.settings(queue, GroupSettings::new());
        let grace = wire_seconds(settings.grace.unwrap_or(GroupSettings::DEFAULT_GRACE));
        if group.size == 0 || group.oldest > now.saturating_sub(grace).saturating_sub(FORGOTTEN) {
            return;
        }
        let [oldest, newest] = &group.types;
        let task_type = oldest.as_ref().or(newest.as_ref()).cloned().unwrap_or_default();
        if self.warned.insert((queue.clone(), task_type.clone())) {
            tracing::warn!(
                %queue, group = group.name, tasks = group.size, task_type,
                "tasks wait in a group and nobody aggregates them: this server has no aggregator for their type"
            );
        }
    }

    /// Lets what runs finish until the shutdown's limit, then gives its tasks back.
    async fn drain(mut self, mut control: watch::Receiver<Control>) {
        loop {
            let until = match *control.borrow_and_update() {
                Control::Drain(until) => until,
                // The order to drain comes right behind the one to stop.
                Control::Fetch | Control::Stop => Instant::now() + LONGEST,
            };
            tokio::select! {
                biased;
                ended = self.running.join_next_with_id() => match ended {
                    Some(ended) => self.ended(ended, Instant::now()),
                    None => return,
                },
                () = sleep_until(until) => break,
                changed = control.changed() => if changed.is_err() { break },
            }
        }
        self.running.shutdown().await;
        for Staged { queue, set } in self.staged.into_values() {
            tracing::warn!(%queue, group = set.group, "an aggregation did not end in time; its tasks go back to their group");
            let now = self.workplace.broker.clock().unix_seconds();
            if let Err(error) = self.workplace.broker.extend_set(&queue, &set, now).await {
                tracing::debug!(%error, "they go back when the time of their set is up");
            }
        }
    }
}
