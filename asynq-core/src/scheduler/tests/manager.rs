//! A manager and its provider.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::world::{World, pass, periodic};
use crate::error::Error;
use crate::router::BoxError;
use crate::scheduler::{EntryId, PeriodicTask, PeriodicTaskManager, PeriodicTaskProvider};
use crate::task::Task;

/// Gives what the test says; what is not said is an error.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Option<Vec<PeriodicTask>>>>);

impl Told {
    fn new(tasks: impl IntoIterator<Item = PeriodicTask>) -> Self {
        let told = Self::default();
        told.set(tasks);
        told
    }

    fn set(&self, tasks: impl IntoIterator<Item = PeriodicTask>) {
        *self.0.lock().unwrap() = Some(tasks.into_iter().collect());
    }

    fn fail(&self) {
        *self.0.lock().unwrap() = None;
    }
}

impl PeriodicTaskProvider for Told {
    async fn periodic_tasks(&self) -> Result<Vec<PeriodicTask>, BoxError> {
        self.0.lock().unwrap().clone().ok_or_else(|| "the table is gone".into())
    }
}

async fn managed(world: &World, told: &Told) -> PeriodicTaskManager {
    PeriodicTaskManager::builder(&world.client, told.clone()).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn entries_follow_the_provider() {
    let world = World::new();
    let told = Told::new([periodic("* * * * *")]);
    let manager = managed(&world, &told).await;
    pass(60).await;
    told.set([periodic("0 * * * *")]);
    pass(60).await;
    assert_eq!(world.tasks().len(), 2, "nobody has asked yet");
    pass(60).await;
    assert_eq!(manager.scheduler().entries().len(), 1);
    let known = world.tasks().len();
    pass(1_800).await;
    assert_eq!(world.tasks().len(), known);
    pass(1_800).await;
    assert_eq!(world.tasks().len(), known + 1);
    manager.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn it_syncs_when_told_to() {
    let world = World::new();
    let told = Told::new([periodic("@hourly"), periodic("@daily")]);
    let manager = managed(&world, &told).await;
    told.set([periodic("@hourly"), periodic("@weekly")]);
    let report = manager.sync_now().await.unwrap();
    assert_eq!((report.added.len(), report.removed.len(), report.unchanged), (1, 1, 1));
    let report = manager.sync_now().await.unwrap();
    assert_eq!((report.added.len(), report.removed.len(), report.unchanged), (0, 0, 2));
    manager.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn b24_the_same_twice_is_one_entry() {
    let world = World::new();
    let told = Told::new([periodic("* * * * *"), periodic("* * * * *")]);
    let manager = managed(&world, &told).await;
    pass(60).await;
    assert_eq!(world.tasks().len(), 1);
    told.set([]);
    assert_eq!(manager.sync_now().await.unwrap().removed.len(), 1);
    pass(300).await;
    assert_eq!(world.tasks().len(), 1, "nothing leaks");
    manager.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn b24_headers_and_options_make_another_entry() {
    let world = World::new();
    let task = || Task::new("t", "{}").unwrap();
    let told = Told::new([
        PeriodicTask::new("@daily", task()),
        PeriodicTask::new("@daily", task().header("tenant", "1")),
        PeriodicTask::new("@daily", task().header("tenant", "2")),
        PeriodicTask::new("@daily", task()).options(|options| options.queue("low")),
    ]);
    let manager = managed(&world, &told).await;
    assert_eq!(manager.scheduler().entries().len(), 4);
    manager.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn b24_one_that_is_wrong_does_not_keep_the_others_out() {
    let world = World::new();
    let told = Told::new([periodic("61 * * * *"), periodic("* * * * *")]);
    let manager = managed(&world, &told).await;
    pass(60).await;
    assert_eq!(world.tasks().len(), 1);
    told.set([
        periodic("@daily").name("report"),
        periodic("@hourly").name("report"),
        PeriodicTask::new("@daily", Task::new("t", "").unwrap()).options(|options| options.queue("")),
    ]);
    let report = manager.sync_now().await.unwrap();
    assert_eq!(report.added, [EntryId::named("report")]);
    let rejected: Vec<_> = report.rejected.iter().map(|rejected| rejected.error.to_string()).collect();
    assert!(rejected[0].contains("another periodic task, `@daily`, has the same name"), "{rejected:?}");
    assert!(rejected[1].contains("invalid option `queue`"), "{rejected:?}");
    manager.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_named_entry_changes_and_keeps_its_history() {
    let world = World::new();
    let told = Told::new([periodic("* * * * *").name("report")]);
    let manager = managed(&world, &told).await;
    pass(120).await;
    told.set([periodic("0 * * * *").name("report")]);
    let report = manager.sync_now().await.unwrap();
    assert_eq!((report.added.len(), report.removed.len()), (1, 0));
    pass(600).await;
    assert_eq!(world.events(EntryId::named("report").as_str()), 2);
    assert_eq!(world.tasks().len(), 2);
    manager.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_at_the_start_is_told_of() {
    let world = World::new();
    let error = PeriodicTaskManager::builder(&world.client, Told::default()).start().await.unwrap_err();
    assert_eq!(format!("{error:?}"), "the provider of periodic tasks failed: the table is gone");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_later_changes_nothing() {
    let world = World::new();
    let told = Told::new([periodic("* * * * *")]);
    let manager = managed(&world, &told).await;
    told.fail();
    assert!(matches!(manager.sync_now().await, Err(Error::Provider(_))));
    pass(600).await;
    assert_eq!(world.tasks().len(), 10);
    told.set([]);
    pass(180).await;
    assert!(manager.scheduler().entries().is_empty());
    manager.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_is_one_that_fails() {
    let world = World::new();
    let calls = Arc::new(Mutex::new(0));
    let provider = move || {
        let calls = Arc::clone(&calls);
        async move {
            *calls.lock().unwrap() += 1;
            assert_eq!(*calls.lock().unwrap(), 1, "only once");
            Ok(vec![periodic("* * * * *")])
        }
    };
    let builder = PeriodicTaskManager::builder(&world.client, provider);
    let manager = builder.sync_interval(Duration::from_secs(10)).start().await.unwrap();
    pass(60).await;
    assert_eq!(world.tasks().len(), 1);
    manager.shutdown().await;
}
