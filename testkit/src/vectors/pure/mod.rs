//! Suites whose cases are functions of their inputs, one file for each group of them.

mod address;
mod cron;
mod messages;
mod names;
mod options;
mod retry;
mod router;

use serde_json::Value;

use super::compare::compare;
use super::file::PureCase;
use super::runner::Outcome;
use crate::RedisServer;

/// Runs a case of this kind.
pub(super) async fn run(kind: &str, case: &PureCase, redis: &RedisServer) -> Outcome {
    let (inputs, go) = (&*case.inputs, &case.result);
    let ours = match kind {
        "task_message_encode" => messages::encode_task(inputs),
        "metadata_encode" => messages::encode_metadata(inputs),
        "decode" => messages::decode(inputs),
        "unique_key" => names::unique_key(inputs),
        "keys" => names::keys(inputs),
        "queue_name" => return names::queue_name(inputs, go, redis).await,
        "option_string" => options::string(inputs),
        "option_parse" => options::parse(inputs),
        "parse_redis_uri" => address::parse(inputs, go),
        "mux" => router::route(inputs),
        "cron" => cron::fire_times(inputs, go),
        "retry_delay" => retry::delay(inputs),
        _ => return Outcome::missing(format!("kind {kind}")),
    };
    let mut outcome = Outcome::default();
    compare("", &comparable(go), &ours, &mut outcome.differences);
    outcome
}

/// Go's result without what says something about Go's run only.
fn comparable(go: &Value) -> Value {
    let mut go = go.clone();
    if let Some(members) = go.as_object_mut() {
        for of_the_run in ["seen_hex", "seen_in_redis", "sampled_min_s", "sampled_max_s", "sampled_values"] {
            members.remove(of_the_run);
        }
        if let Some(panic) = members.get_mut("panic") {
            // The words are those of Go's runtime.
            *panic = true.into();
        }
    }
    go
}
