//! What people write in `#[job(…)]` for an option that has another name, or that is none of a job.

/// What to say at an option of this name, if it is known from elsewhere.
pub(super) fn advice(written: &str) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(names, _)| names.contains(&written)).map(|(_, message)| *message)
}

/// Names that other libraries have, and what to say.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["deadline"],
        "a deadline is an instant, so it belongs to one task: write `.deadline(t)` when enqueuing, or \
         `expires_in = \"1h\"` here for one that counts from then",
    ),
    (
        &["max_retry", "max_retries", "retries", "max_attempts", "attempts"],
        "it is called `retry` here: write `retry = 5`",
    ),
    (&["unique", "unique_ttl"], "it is called `unique_for` here: write `unique_for = \"10m\"`"),
    (
        &["unique_key", "unique_args", "unique_fields"],
        "write `unique_by(to, template)` for the arguments that tell tasks apart, or `.unique_key(key)` when \
         enqueuing",
    ),
    (
        &["max_concurrency", "limit", "max_running", "workers"],
        "it is called `concurrency` here: write `concurrency = 4`",
    ),
    (
        &["rate_limit", "throttle", "limit_rate", "max_rate"],
        "it is called `rate` here: write `rate = \"100/s\"`",
    ),
    (
        &["layers", "middleware", "middlewares", "wrap"],
        "it is called `layer` here: write `layer = my_layer()`, or a tuple for several, the outermost first",
    ),
    (
        &["retry_policy", "retry_delay", "delay_policy", "retry_backoff", "wait"],
        "it is called `backoff` here: write `backoff = exponential(\"2s\", max = \"10m\")`",
    ),
    (&["cancel", "cancelled", "on_cancelled"], "it is called `on_cancel` here: write `on_cancel = archive`"),
    (&["expires", "expire", "ttl"], "it is called `expires_in` here: write `expires_in = \"1h\"`"),
    (&["task_type", "type", "rename", "pattern"], "it is called `name` here: write `name = \"email:send\"`"),
    (&["tz", "time_zone", "zone"], "it is called `timezone` here: write `timezone = \"Europe/Rome\"`"),
    (
        &["schedule", "periodic"],
        "it is called `cron` here: write `cron = \"0 9 * * mon-fri\"`, or `every = \"10m\"`",
    ),
    (
        &["task_id", "id"],
        "an ID belongs to one task: write `.task_id(id)` when enqueuing, or `unique_for = \"10m\"` here to keep \
         equal tasks from being enqueued twice",
    ),
    (
        &["process_at", "at"],
        "an instant belongs to one task: write `.process_at(t)` when enqueuing, or `delay = \"30s\"` here for a time \
         that counts from then",
    ),
    (&["process_in"], "it is called `delay` here: write `delay = \"30s\"`"),
    (
        &["prefix", "proto", "default", "shared", "inherit"],
        "what jobs have in common is a constant: write `defaults = MAIL`, with `const MAIL: JobOptions = …`",
    ),
    (&["struct_name"], "it is called `struct` here: write `struct = \"SendMail\"`"),
    (
        &["format", "encoding", "serializer", "content_type"],
        "it is called `codec` here: write `codec = MsgPack`",
    ),
    (
        &["upgrade", "migrate", "old", "was"],
        "it is called `from` here: write `from = OldSendEmail`, with `impl From<OldSendEmail> for SendEmail`",
    ),
    (&["alias"], "it is called `aliases` here: write `aliases = [\"mail:send\"]`"),
];
