//! `inspect`: operations of the inspector. Those we have are those of the broker itself.

use std::sync::Arc;

use asynq_core::broker::Broker;
use asynq_core::task::TaskId;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::vectors::file::parse;
use crate::vectors::inputs::error;

#[derive(Deserialize)]
struct Request {
    op: String,
    #[serde(default)]
    args: Vec<String>,
}

/// The operation that a request names.
pub(super) fn operation(arguments: &RawValue) -> String {
    parse::<Request>(arguments).op
}

/// Whether we have an operation.
pub(super) fn can(operation: &str) -> bool {
    operation == "cancel"
}

pub(super) async fn inspect(broker: &Arc<dyn Broker>, arguments: &RawValue) -> Value {
    let Request { op, args } = parse(arguments);
    assert_eq!(op, "cancel", "unknown operation");
    match broker.publish_cancellation(&TaskId::new(&args[0]).unwrap()).await {
        Ok(()) => json!({"ok": true}),
        Err(failed) => error("redis", failed),
    }
}
