//! A cluster under load.

use std::collections::HashSet;
use std::time::Duration;

use asynq::inspector::Class;
use asynq::{Client, Ctx, Inspector, QueueName, Router, Server, Task, TaskOptions};
use asynq_testkit::{Audit, Load, RedisCluster, eventually, eventually_within};
use jiff::Timestamp;

/// Queues in the slots of all three masters.
const QUEUES: [&str; 6] = ["critical", "default", "low", "mail", "pictures", "reports"];

async fn clients(cluster: &RedisCluster, count: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Client::connect(&cluster.url()).await.unwrap());
    }
    clients
}

fn nothing_is_lost(what: &str, audit: &Audit) {
    eprintln!("{what}: {audit}");
    assert!(audit.is_complete(), "{what}: {audit:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_master_tells_of_what_is_scheduled() {
    let cluster = RedisCluster::start().await;
    let client = Client::connect(&cluster.url()).await.unwrap();
    let queues = QUEUES.map(|queue| QueueName::new(queue).unwrap());
    let mut changes = client.broker().later_changes(&queues).await.unwrap().unwrap();
    for (queue, due) in QUEUES.iter().zip(3_000_000_000..) {
        let options = TaskOptions::new().queue(queue).process_at(Timestamp::from_second(due).unwrap());
        client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
        assert_eq!(changes.next().await, Some(due), "{queue}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_of_all_nodes_are_filled_and_emptied() {
    let cluster = RedisCluster::start().await;
    let mut owners = HashSet::new();
    for queue in QUEUES {
        owners.insert(cluster.owner(cluster.slot_of(queue).await).await);
    }
    assert_eq!(owners.len(), 3, "the queues are on all masters");
    let client = Client::connect(&cluster.url()).await.unwrap();
    let tasks = QUEUES.iter().cycle().take(600);
    let tasks = tasks.map(|queue| Task::new("t", "").unwrap().options(TaskOptions::new().queue(queue)));
    let stored = client.enqueue_all(tasks).await;
    assert!(stored.iter().all(Result::is_ok), "{stored:?}");
    let inspector = Inspector::new(&client);
    let known: Vec<String> = inspector.queues().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(known, QUEUES);

    let (tell, mut told) = tokio::sync::mpsc::channel(1_000);
    let router = Router::new()
        .route("t", move |ctx: Ctx| {
            let tell = tell.clone();
            async move { tell.send(ctx.queue().to_string()).await.map_err(asynq::BoxError::from) }
        })
        .unwrap();
    let server = Server::builder(&client).router(router).queues(QUEUES.map(|queue| (queue, 1)));
    let server = server.concurrency(10).start().await.unwrap();
    for _ in 0..600 {
        told.recv().await.unwrap();
    }
    // Idle by now: what comes wakes the waiter of its queue, wherever that is.
    for queue in QUEUES {
        client.enqueue(Task::new("t", "").unwrap().options(TaskOptions::new().queue(queue))).await.unwrap();
        assert_eq!(told.recv().await.unwrap(), queue);
    }
    server.shutdown().await;
    let left: Vec<Vec<String>> = cluster.on_masters(&["KEYS", "*"]).await;
    let left: Vec<String> = left
        .concat()
        .into_iter()
        .filter(|key| key != "asynq:queues" && !key.contains("}:processed"))
        .collect();
    assert!(left.is_empty(), "nothing is left but counters: {left:?}");

    let queue = QueueName::new("mail").unwrap();
    let slot = cluster.slot_of("mail").await;
    assert_eq!(client.broker().cluster_key_slot(&queue).await.unwrap(), Some(slot));
    let nodes = client.broker().cluster_nodes(&queue).await.unwrap().unwrap();
    let owner = cluster.nodes()[cluster.owner(slot).await].port();
    assert_eq!(nodes[0].address, format!("127.0.0.1:{owner}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_task_is_cancelled_from_any_node() {
    let cluster = RedisCluster::start().await;
    let client = Client::connect(&cluster.url()).await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::channel(10);
    let router = Router::new()
        .route("t", move |ctx: Ctx| {
            let tell = tell.clone();
            async move {
                tell.send("begun").await.unwrap();
                ctx.cancelled().await;
                tell.send("cancelled").await.unwrap();
            }
        })
        .unwrap();
    let server = Server::builder(&client).router(router).queues([("default", 1)]).start().await.unwrap();
    let sent = client.enqueue(Task::new("t", "").unwrap()).await.unwrap();
    assert_eq!(told.recv().await, Some("begun"));
    let other = Client::connect(&cluster.url()).await.unwrap();
    eventually("the subscriber hears of it", async || {
        Inspector::new(&other).cancel(&sent.id).await.unwrap();
        told.try_recv().ok().filter(|event| *event == "cancelled")
    })
    .await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moving_slots_under_load_loses_nothing() {
    let cluster = RedisCluster::start().await;
    let load = Load::start(&clients(&cluster, 2).await, &QUEUES).await;
    load.more(300).await;
    let mut moved = 0;
    for queue in ["critical", "default", "low", "critical"] {
        let slot = cluster.slot_of(queue).await;
        let to = (cluster.owner(slot).await + 1) % 3;
        moved += cluster.move_slot(slot, to).await;
        load.more(100).await;
    }
    let audit = load.end().await;
    eprintln!("{moved} keys moved");
    nothing_is_lost("moving slots", &audit);
    assert_eq!((audit.failures, audit.ran_again), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_waits_for_a_slot_that_moves() {
    let cluster = RedisCluster::start().await;
    let client = Client::connect(&cluster.url()).await.unwrap();
    let later = TaskOptions::new().task_id("kept").process_in(Duration::from_secs(600));
    client.enqueue(Task::new("t", "").unwrap().options(later)).await.unwrap();
    let (inspector, queue) = (Inspector::new(&client), QueueName::new("default").unwrap());
    let slot = cluster.slot_of("default").await;
    let moving = cluster.begin_move(slot, (cluster.owner(slot).await + 1) % 3).await;
    let finished = async {
        eventually("the transaction has been refused for a while", async || {
            let errors: String = moving.from().command(&["INFO", "errorstats"]).await;
            let (_, refused) = errors.split_once("errorstat_EXECABORT:count=")?;
            refused.lines().next()?.parse().is_ok_and(|times: u32| times > 10).then_some(())
        })
        .await;
        moving.finish().await
    };
    let (task, moved) = tokio::join!(inspector.task(&queue, "kept"), finished);
    assert!(task.unwrap().info.next_process_at.is_some());
    assert!(moved > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handing_over_a_master_under_load_loses_nothing() {
    let cluster = RedisCluster::start().await;
    let load = Load::start(&clients(&cluster, 2).await, &QUEUES).await;
    load.more(300).await;
    let slot = cluster.slot_of("default").await;
    let owner = cluster.owner(slot).await;
    // Its replica takes over once it has everything: nothing that was acknowledged is missing there.
    cluster.nodes()[owner + 3].command::<()>(&["CLUSTER", "FAILOVER"]).await;
    eventually_within(Duration::from_secs(30), "the replica has taken over", async || {
        (cluster.owner(slot).await != owner).then_some(())
    })
    .await;
    load.more(300).await;
    nothing_is_lost("handing over a master", &load.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_masters_go_on_while_one_is_dead_and_its_queues_once_it_is_replaced() {
    let mut cluster = RedisCluster::start().await;
    let load = Load::start(&clients(&cluster, 2).await, &QUEUES).await;
    load.more(300).await;
    let slot = cluster.slot_of("default").await;
    let owner = cluster.owner(slot).await;
    cluster.kill(owner).await;
    eventually_within(Duration::from_secs(30), "the replica has taken over", async || {
        (cluster.owner(slot).await != owner).then_some(())
    })
    .await;
    cluster.until_whole().await;
    load.more(300).await;
    let audit = load.end().await;
    // A master that dies takes with it what it had acknowledged and not yet handed on.
    eprintln!("killing a master: {audit}");
    assert!(audit.lost.len() <= 24, "more than was on its way to the replica: {:?}", audit.lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_looks_at_every_node() {
    let cluster = RedisCluster::start().await;
    let client = Client::connect(&cluster.url()).await.unwrap();
    let inspector = Inspector::new(&client);
    for queue in QUEUES {
        let options = TaskOptions::new().queue(queue).task_id("kept").process_in(Duration::from_secs(600));
        client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
    }
    assert_eq!(inspector.examine().await.unwrap().findings, []);
    for queue in QUEUES {
        let owner = cluster.owner(cluster.slot_of(queue).await).await;
        let key = |name: &str| format!("asynq:{{{queue}}}:{name}");
        cluster.nodes()[owner].command::<()>(&["HSET", &key("t:ghost"), "state", "active"]).await;
        cluster.nodes()[owner].command::<()>(&["SET", &key("retry"), "x"]).await;
    }
    for class in [Class::WrongType, Class::Ghost] {
        assert_eq!(inspector.repair(class).await.unwrap().mended, QUEUES.len(), "{class}");
    }
    assert_eq!(inspector.examine().await.unwrap().findings, []);
    let of_one = inspector.examine().queue(QUEUES[0]).await.unwrap();
    assert_eq!((of_one.tasks, of_one.queues), (1, 1));
}
