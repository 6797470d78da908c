//! The same faults for us, Go's asynq, and other job libraries on Redis.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use asynq_testkit::{Fault, Proxy, RedisServer};
use futures_util::future::join_all;

use crate::system::{Fleet, System};

const TASKS: usize = 1_500;
const TAKES: Duration = Duration::from_millis(100);

/// Tasks that have run before something breaks.
const BEFORE: usize = 300;

/// For how long nothing must happen until what has not run is given up. Go takes 90 s at most.
const QUIET: Duration = Duration::from_secs(150);

/// Runs by `cargo xtask reliability`, which builds the other programs and says where they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour, and programs that `cargo xtask reliability` builds"]
async fn compare() {
    let only = variable("ASYNQ_RELIABILITY_ONLY");
    let contenders = PathBuf::from(variable("ASYNQ_CONTENDERS").unwrap());
    let systems = [
        System::Ours,
        System::Go,
        System::Other("apalis-redis 1.0", contenders.join("contender-apalis")),
        System::Other("rusty-sidekiq 0.15", contenders.join("contender-sidekiq")),
    ];
    println!(
        "| fault | library | lost | not run within {} s | ran twice | work went on after | all was done after | worker \
         ended by itself |\n|---|---|---|---|---|---|---|---|",
        QUIET.as_secs()
    );
    for breakage in Breakage::ALL {
        if only.as_ref().is_some_and(|only| !breakage.name().contains(only)) {
            continue;
        }
        for (system, figures) in systems.iter().zip(join_all(systems.iter().map(|s| breakage.run(s))).await) {
            println!("| {} | {} | {figures} |", breakage.name(), system.name());
        }
    }
}

/// What breaks.
#[derive(Clone, Copy, Debug)]
enum Breakage {
    WorkerKilled,
    WorkerFrozen,
    RedisKilled,
    RedisFrozen,
    RepliesCut,
}

impl Breakage {
    const ALL: [Self; 5] =
        [Self::WorkerKilled, Self::WorkerFrozen, Self::RedisKilled, Self::RedisFrozen, Self::RepliesCut];

    fn name(self) -> &'static str {
        match self {
            Self::WorkerKilled => "worker killed, another started",
            Self::WorkerFrozen => "worker frozen for 100 s beside another",
            Self::RedisKilled => "Redis killed and restarted",
            Self::RedisFrozen => "Redis frozen for 10 s",
            Self::RepliesCut => "replies cut for 3 s",
        }
    }

    async fn run(self, system: &System) -> String {
        let mut redis = RedisServer::start_durable().await;
        let proxy = Proxy::start(redis.port()).await;
        system.enqueue(&redis.url(), TASKS, TAKES).await;
        let mut fleet = Fleet::start(system, &proxy.url()).await;
        fleet.until(BEFORE).await;
        match self {
            Self::WorkerKilled => {
                fleet.kill();
                fleet.add().await;
            }
            Self::WorkerFrozen => {
                fleet.add().await;
                fleet.until(2 * BEFORE).await;
                fleet.signal("STOP");
            }
            Self::RedisKilled => {
                redis.kill().await;
                redis.restart().await;
            }
            Self::RedisFrozen => {
                redis.freeze();
                tokio::time::sleep(Duration::from_secs(10)).await;
                redis.thaw();
            }
            Self::RepliesCut => proxy.suffer(Fault::CutReplies, Duration::from_secs(3)).await,
        }
        self.account(&mut fleet, &redis).await
    }

    /// Waits until all is done, or nothing is for long, and counts.
    async fn account(self, fleet: &mut Fleet, redis: &RedisServer) -> String {
        let begun = Instant::now();
        let before = fleet.done().await;
        let (mut seen, mut since, mut went_on, mut all_done) = (before, begun, None, None);
        let mut is_frozen = matches!(self, Self::WorkerFrozen);
        while since.elapsed() < QUIET && all_done.is_none() || is_frozen {
            if is_frozen && begun.elapsed() > Duration::from_secs(100) {
                fleet.signal("CONT");
                is_frozen = false;
            }
            let done = fleet.done().await;
            if done > seen {
                (seen, since) = (done, Instant::now());
                went_on.get_or_insert_with(|| begun.elapsed());
            }
            if done == TASKS {
                all_done.get_or_insert_with(|| begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // What is woken or left over may run once more.
        tokio::time::sleep(Duration::from_secs(10)).await;
        fleet.done().await;
        let repeated: usize = (0..TASKS).map(|id| fleet.ledger.runs(&id.to_string()).repeated()).sum();
        let missing = TASKS - fleet.ledger.ended_tasks();
        let lost = if missing == 0 { 0 } else { missing - stored(redis, fleet, missing).await };
        let time = |time: Option<Duration>| time.map_or("never".to_owned(), |time| format!("{time:.1?}"));
        format!(
            "{lost} | {} | {repeated} | {} | {} | {}",
            missing - lost,
            time(went_on),
            time(all_done),
            fleet.restarts
        )
    }
}

/// How many of the tasks that have not run are still somewhere in Redis, as far as their IDs are found there.
async fn stored(redis: &RedisServer, fleet: &Fleet, missing: usize) -> usize {
    let left: Vec<usize> = (0..TASKS).filter(|id| !fleet.ledger.runs(&id.to_string()).is_over()).collect();
    assert_eq!(left.len(), missing);
    let values = redis.every_value().await;
    let is_stored = |id: &&usize| {
        let payload = format!("\"id\":{id},");
        values.iter().any(|value| value.contains(&payload) || *value == id.to_string())
    };
    left.iter().filter(is_stored).count()
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how `cargo xtask reliability` tells this test what to do")]
    std::env::var(name).ok()
}
