//! The command line on a real cluster.

use asynq_core::client::Client;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::{GoPeer, RedisCluster};
use serde_json::json;

use super::{Ran, ended, program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_are_listed_with_their_slots_and_nodes() {
    let cluster = RedisCluster::start().await;
    let addresses = cluster.url().replace("redis-cluster://", "");
    // As Go's tool is told of a cluster.
    let ran = |words: &[&str]| {
        let ran = ended(program(words).args(["--cluster", "--cluster_addrs", &addresses]));
        assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
        ran
    };
    let none = ran(&["queue", "list"]);
    assert_eq!((none.out.as_str(), none.err.lines().count()), ("", 1), "{none:?}");

    let client = Client::connect(&cluster.url()).await.unwrap();
    for queue in ["low", "mail"] {
        let options = TaskOptions::new().queue(queue).task_id(queue);
        client.enqueue(Task::new("t", "").unwrap().options(options)).await.unwrap();
    }
    let listed = ran(&["queue", "list"]).out;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("Queue ") && lines[0].ends_with("Cluster Nodes"), "{listed}");
    let json = ran(&["queue", "ls", "-o", "json"]).json();
    for (at, queue) in ["low", "mail"].into_iter().enumerate() {
        let slot = cluster.slot_of(queue).await;
        let owner = cluster.nodes()[cluster.owner(slot).await].port();
        let told: Vec<&str> = lines[at + 1].split_whitespace().collect();
        let master = format!("127.0.0.1:{owner}");
        // Its replica comes behind it, once the nodes have told each other.
        assert_eq!(told[..2], [queue, &slot.to_string()], "{listed}");
        assert_eq!(told[2].trim_end_matches(','), master, "{listed}");
        assert_eq!((&json[at]["queue"], &json[at]["pending"]), (&json!(queue), &json!(1)));
        assert_eq!(
            (&json[at]["cluster_key_slot"], &json[at]["cluster_nodes"][0]),
            (&json!(slot), &json!(master))
        );
        let theirs = GoPeer::new(&cluster.nodes()[0].url()).inspect(&["keyslot", queue]).await;
        assert_eq!(theirs["keyslot"], slot, "{theirs}");
    }
    assert_eq!(ran(&["queue", "list", "--ids"]).out, "low\nmail\n");
    let chosen = ran(&["queue", "list", "--columns", "queue,cluster_key_slot", "-o", "csv"]).out;
    assert_eq!(chosen.lines().next(), Some("queue,cluster_key_slot"));

    // The rest of what is on several nodes.
    let Ran { out, .. } = ran(&["stats"]);
    assert!(out.contains("known nodes") && out.contains("cluster size"), "{out}");
    assert_eq!(ran(&["task", "find", "mail", "--ids"]).out, "mail\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tasks.jsonl");
    ran(&["export", "--file", file.to_str().unwrap()]);
    let told = ran(&["import", "--queue-prefix", "again-", file.to_str().unwrap()]).out;
    assert_eq!(told, "2 tasks imported, 0 skipped\n");
    assert_eq!(ran(&["queue", "list", "--ids"]).out, "again-low\nagain-mail\nlow\nmail\n");
    assert_eq!(ran(&["doctor", "--queue", "low", "-o", "json", "--fix", "ghost"]).out.trim(), "[]");
}
