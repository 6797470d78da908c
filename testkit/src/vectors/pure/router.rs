//! `servemux`: which pattern a task type goes to.

use asynq_core::router::{Ctx, HandlerNotFound, Router};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::vectors::file::parse;
use crate::vectors::inputs::error;

pub(super) fn route(inputs: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Inputs {
        patterns: Vec<String>,
        r#type: String,
    }
    let Inputs { patterns, r#type: task_type } = parse(inputs);
    let mut router = Router::new();
    for pattern in patterns {
        router = match router.route(pattern, async |_: Ctx| ()) {
            Ok(router) => router,
            // Go panics where we return an error.
            Err(_) => return json!({"panic": true}),
        };
    }
    match router.pattern(&task_type) {
        Some(pattern) => json!({"pattern": pattern}),
        None => error("handler_not_found", HandlerNotFound(task_type)),
    }
}
