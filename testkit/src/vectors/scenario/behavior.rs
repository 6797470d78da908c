//! What a handler does with a task: as the task's type, payload or a rule says (`tests/gopeer/README.md`).

use std::fmt;
use std::time::Duration;

use asynq_core::router::{BoxError, Ctx, Revoke, SkipRetry};
use serde::Deserialize;
use serde_json::Value;

use crate::encoding::{base64, unbase64, unhex};

/// What a handler does. Spelled as Go's vectors spell it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the vectors' JSON")]
#[expect(
    clippy::unsafe_derive_deserialize,
    reason = "`pin!` and `select!`, which bear no relation to its fields"
)]
pub(super) struct Behavior {
    sleep_ms: u64,
    ignore_ctx: bool,
    wait_ctx: bool,
    result: Option<String>,
    result_b64: Option<String>,
    echo_payload: bool,
    echo_headers: bool,
    panic: Option<String>,
    panic_index: bool,
    revoke: bool,
    skip_retry: bool,
    bare: bool,
    fail: i32,
    fail_always: bool,
    non_failure: bool,
    error: Option<String>,
    error_hex: Option<String>,
}

/// A behavior for a task type, or for all that begin so when it ends in `*`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Rule {
    r#match: String,
    r#do: Behavior,
}

/// A failure that does not count as one.
#[derive(Debug)]
pub(super) struct NonFailure(String);

impl fmt::Display for NonFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NonFailure {}

impl Behavior {
    /// What is to be done with a task: as its payload says, or its type, or the first rule that fits.
    pub(super) fn of(ctx: &Ctx, rules: &[Rule]) -> Self {
        if let Ok(payload) = serde_json::from_slice::<Value>(ctx.payload())
            && let Some(told) = payload.get("do")
        {
            return match told {
                Value::String(text) => Self::parse(text),
                told => serde_json::from_value(told.clone()).unwrap(),
            };
        }
        if let Some(text) = ctx.task_type().strip_prefix("do:") {
            return Self::parse(text);
        }
        let fits = |rule: &&Rule| match rule.r#match.strip_suffix('*') {
            Some(prefix) => ctx.task_type().starts_with(prefix),
            None => ctx.task_type() == rule.r#match,
        };
        rules.iter().find(fits).map(|rule| rule.r#do.clone()).unwrap_or_default()
    }

    /// The short form: `sleep=200+fail=2+error=boom`.
    fn parse(text: &str) -> Self {
        let mut behavior = Self::default();
        for part in text.split('+') {
            let (key, value) = part.split_once('=').map_or((part, None), |(key, value)| (key, Some(value)));
            let text = || Some(value.unwrap_or_default().to_owned());
            match key {
                "" | "ok" => {}
                "sleep" => behavior.sleep_ms = value.unwrap().parse().unwrap(),
                "ignorectx" => behavior.ignore_ctx = true,
                "waitctx" => behavior.wait_ctx = true,
                "result" => behavior.result = text(),
                "echo" => behavior.echo_payload = true,
                "headers" => behavior.echo_headers = true,
                "panic" => behavior.panic = text(),
                "panicindex" => behavior.panic_index = true,
                "revoke" => behavior.revoke = true,
                "skipretry" => behavior.skip_retry = true,
                "bare" => behavior.bare = true,
                "fail" => match value {
                    Some(times) => behavior.fail = times.parse().unwrap(),
                    None => behavior.fail_always = true,
                },
                "nonfailure" => behavior.non_failure = true,
                "error" => behavior.error = text(),
                _ => panic!("unknown action {part}"),
            }
        }
        behavior
    }

    /// Does it.
    pub(super) async fn run(&self, ctx: &Ctx) -> Result<(), BoxError> {
        let sleep = tokio::time::sleep(Duration::from_millis(self.sleep_ms));
        if self.ignore_ctx {
            sleep.await;
        } else {
            tokio::select! {
                () = sleep => {}
                () = ctx.cancelled() => return Err("context canceled".into()),
            }
        }
        if self.wait_ctx {
            ctx.cancelled().await;
            return Err("context canceled".into());
        }
        if let Some(result) = self.result(ctx) {
            ctx.write_result(result).await?;
        }
        if let Some(text) = &self.panic {
            panic!("{text}");
        }
        if self.panic_index {
            let nothing = Vec::<()>::new();
            let () = nothing[ctx.task_type().len()];
        }
        if self.revoke || self.skip_retry || self.fail_always || ctx.retried() < self.fail {
            return Err(self.failure());
        }
        Ok(())
    }

    /// Go's word for how it ended if it did not get to its end. Our server drops a handler that is out of time, where
    /// Go's returns an error, or goes on.
    pub(super) fn outcome_if_dropped(&self) -> Option<&'static str> {
        match (self.wait_ctx || self.sleep_ms > 0, self.ignore_ctx) {
            (false, _) => Some("panic"),
            (true, false) => Some("fail"),
            (true, true) => None,
        }
    }

    /// Go's word for how it ended.
    pub(super) fn outcome(&self, ended: &Result<(), BoxError>) -> &'static str {
        match ended {
            Ok(()) => "ok",
            Err(_) if self.revoke => "revoke",
            Err(_) if self.skip_retry => "skip_retry",
            Err(_) => "fail",
        }
    }

    fn result(&self, ctx: &Ctx) -> Option<Vec<u8>> {
        match (&self.result, &self.result_b64) {
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, Some(text)) => Some(unbase64(text)),
            _ if self.echo_payload => Some(ctx.payload().to_vec()),
            _ if self.echo_headers => Some(serde_json::to_vec(ctx.headers()).unwrap()),
            _ => None,
        }
    }

    fn failure(&self) -> BoxError {
        let text = match (&self.error_hex, &self.error) {
            (Some(hex), _) => String::from_utf8_lossy(&unhex(hex)).into_owned(),
            (None, Some(text)) => text.clone(),
            (None, None) => "gopeer: told to fail".to_owned(),
        };
        if self.non_failure {
            NonFailure(text).into()
        } else if self.revoke {
            Revoke::new(text).into()
        } else if self.skip_retry && self.bare {
            // Go's sentinel itself, whose text is this.
            SkipRetry::new("skip retry for the task").into()
        } else if self.skip_retry {
            SkipRetry::new(text).into()
        } else {
            text.into()
        }
    }
}

/// What every event says of a task.
pub(super) fn event(ctx: &Ctx, event: &str) -> Value {
    serde_json::json!({
        "event": event, "id": ctx.task_id().as_str(), "type": ctx.task_type(), "queue": ctx.queue().as_str(),
        "payload_b64": base64(ctx.payload()), "headers": ctx.headers(), "retried": ctx.retried(),
        "max_retry": ctx.max_retry(),
    })
}
