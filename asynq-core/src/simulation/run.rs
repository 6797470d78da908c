//! [`run`]: one simulation, from its seed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::link::Weather;
use super::machine::queues;
use super::{Event, History, Link, Machine, audit, produce};
use crate::broker::conformance::model::broken_invariants;
use crate::broker::{Broker, MemoryBroker};
use crate::clock::Clock;
use crate::task::TaskId;
use crate::wire::keys::Keyspace;

/// How long the network and the machines may need, once they are left alone, until every task has ended.
const PATIENCE: Duration = Duration::from_secs(2 * 3_600);

/// What came of a simulation.
#[derive(Debug)]
pub(super) struct Report {
    /// What should not have been.
    pub(super) wrong: Vec<String>,
    pub(super) history: String,
    pub(super) tasks: usize,
    /// How many runs began.
    pub(super) runs: usize,
    pub(super) refused: usize,
    pub(super) upsets: usize,
}

/// Runs the simulation of this seed on a runtime of its own.
pub(super) fn run(seed: u64) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let before = fastrand::get_seed();
    fastrand::seed(seed);
    let report = runtime.expect("a runtime").block_on(simulate(seed));
    fastrand::seed(before);
    report
}

async fn simulate(seed: u64) -> Report {
    let mut rng = Rng::with_seed(seed);
    let history = History::begin();
    let store =
        MemoryBroker::new(Clock::with_tokio_time(Timestamp::from_second(2_000_000_000).unwrap_or_default()));
    let mut machines: Vec<_> = (0..rng.usize(2..=3)).map(|number| Machine::new(number, &mut rng)).collect();
    let usual = Weather { loss: [0.0, 0.02, 0.2][rng.usize(..3)], ..Weather::fine() };
    for machine in &mut machines {
        machine.start(&store, &history, usual).await;
    }
    let way = Arc::new(Link::new("producer".to_owned(), history.clone(), rng.u64(..), usual));
    let mut producer = JoinSet::new();
    producer.spawn(produce(store.clone(), Arc::clone(&way), rng.usize(10..60), rng.fork()));

    let mut wrong = Vec::new();
    for _ in 0..rng.usize(4..16) {
        sleep(Duration::from_millis(rng.u64(..9_000))).await;
        upset(&mut machines, &way, &store, &history, usual, &mut rng).await;
        wrong.extend(broken_invariants(&store.dump()));
    }

    history.upset("all is well from here on");
    let is_fine = |link: &Link| link.change(|weather| *weather = Weather::fine());
    is_fine(&way);
    machines.iter().filter_map(Machine::link).for_each(is_fine);
    for queue in queues() {
        drop(store.resume(&queue).await);
    }
    while producer.join_next().await.is_some() {}
    for machine in &mut machines {
        if !machine.is_running() {
            machine.start(&store, &history, Weather::fine()).await;
        }
    }
    if !settled(&store).await {
        wrong.push(format!("after {PATIENCE:?} there are still tasks that have not ended"));
    }
    // What crashed servers have left behind is cleared away by the others.
    sleep(Duration::from_secs(60)).await;
    for machine in &mut machines {
        machine.shut_down(&history).await;
    }

    let events = history.events();
    let slots: BTreeMap<_, _> = machines
        .iter()
        .enumerate()
        .map(|(number, machine)| (format!("m{number}"), machine.concurrency()))
        .collect();
    wrong.extend(audit(&events, &store, &slots));
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    Report {
        wrong,
        history: history.to_string(),
        tasks: count(|event| matches!(event, Event::Accepted { .. })),
        runs: count(|event| matches!(event, Event::Began { .. })),
        refused: count(|event| matches!(event, Event::Refused { .. })),
        upsets: count(|event| matches!(event, Event::Upset(_))),
    }
}

/// Does something to a machine, to the network, or to the store.
async fn upset(
    machines: &mut [Machine],
    way: &Link,
    store: &MemoryBroker,
    history: &History,
    usual: Weather,
    rng: &mut Rng,
) {
    let at = rng.usize(..machines.len());
    let until = Instant::now() + Duration::from_millis(rng.u64(500..60_000));
    match rng.u8(..10) {
        0..3 => machines[at].crash(history),
        3 => machines[at].shut_down(history).await,
        4 => {
            if let Some(link) = machines[at].link() {
                history.upset(format!("{} stands still for {:?}", link.machine, until - Instant::now()));
                link.change(|weather| weather.frozen_until = until);
            }
        }
        5 => {
            if let Some(link) = machines[at].link() {
                history.upset(format!("{} is cut off for {:?}", link.machine, until - Instant::now()));
                link.change(|weather| weather.cut_until = until);
            }
        }
        6 => {
            history.upset(format!("the store is away for {:?}", until - Instant::now()));
            for link in machines.iter().filter_map(Machine::link).chain([way]) {
                link.change(|weather| weather.cut_until = until);
            }
        }
        7 => {
            let queue = &queues()[rng.usize(..2)];
            if store.pause(queue).await.unwrap_or_default() {
                history.upset(format!("{queue} is paused"));
            } else {
                history.upset(format!("{queue} is resumed"));
                drop(store.resume(queue).await);
            }
        }
        _ => {
            let id = format!("t{}", rng.u8(..40));
            history.upset(format!("{id} is to be cancelled"));
            if let Ok(id) = TaskId::new(id) {
                drop(store.publish_cancellation(&id).await);
            }
        }
    }
    for machine in machines {
        if !machine.is_running() && rng.bool() {
            machine.start(store, history, usual).await;
        }
    }
}

/// Waits until every task has ended; `false` when that takes too long.
async fn settled(store: &MemoryBroker) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let dump = store.dump();
        let is_waiting = |queue| {
            let keys = Keyspace::default().queue(&queue);
            [keys.pending(), keys.active(), keys.scheduled(), keys.retry()]
                .iter()
                .any(|key| dump.contains(key))
        };
        if !queues().into_iter().any(is_waiting) {
            return true;
        }
        sleep(Duration::from_secs(5)).await;
    }
    false
}
