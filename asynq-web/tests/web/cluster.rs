//! The page of a Redis that is a cluster.

use asynq_core::client::Client;
use asynq_core::task::{Task, TaskOptions};
use asynq_testkit::RedisCluster;
use asynq_web::WebUi;
use axum::body::Body;
use axum::http::Request;

use crate::site::ask;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_are_shown_with_their_slots_and_nodes() {
    let cluster = RedisCluster::start().await;
    let client = Client::connect(&cluster.url()).await.unwrap();
    for queue in ["mail", "reports"] {
        client.enqueue(Task::new("t", "").unwrap().options(TaskOptions::new().queue(queue))).await.unwrap();
    }
    let service = WebUi::new(&client).service();
    let get = async |path: &str| {
        ask(&service, Request::get(path).header("host", "localhost").body(Body::empty()).unwrap()).await
    };
    let page = get("/redis").await.text();
    let nodes = page.split("aria-label=\"Nodes\"").nth(1).unwrap().split("</table>").next().unwrap();
    for node in cluster.nodes() {
        assert!(nodes.contains(&format!("127.0.0.1:{}", node.port())), "{nodes}");
    }
    let queues = page.split("aria-label=\"Queues\"").nth(1).unwrap().split("</table>").next().unwrap();
    let told = get("/api/v1/redis").await.json();
    for queue in ["mail", "reports"] {
        let slot = cluster.slot_of(queue).await;
        let owner = cluster.nodes()[cluster.owner(slot).await].port();
        let row =
            queues.split(&format!("data-key=\"{queue}\"")).nth(1).unwrap().split("</tr>").next().unwrap();
        assert!(row.contains(&format!(">{slot}<")) && row.contains(&format!("127.0.0.1:{owner}")), "{row}");
        let place =
            told["cluster"]["queues"].as_array().unwrap().iter().find(|place| place["queue"] == queue);
        let place = place.unwrap();
        assert_eq!(place["slot"], slot, "{place}");
        assert_eq!(place["nodes"][0], format!("127.0.0.1:{owner}"), "{place}");
    }
    assert_eq!(told["cluster"]["nodes"].as_array().unwrap().len(), cluster.nodes().len());
    assert_eq!(told["info"]["cluster_state"], "ok");
    assert!(page.contains("cluster_state") && get("/").await.text().contains("reports"));
}
