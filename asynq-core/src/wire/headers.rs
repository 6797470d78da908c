//! Headers of tasks that mean something to this crate; to Go they are headers like any other.

/// How the payload is encoded, as [`Codec::NAME`](crate::job::Codec::NAME) says. JSON is not marked.
pub const CODEC_HEADER: &str = "asynq-codec";

/// What was done to the payload before it was stored, as [`Payloads`](crate::payload::Payloads) do it: `zstd`,
/// `aes-256-gcm;<name of the key>`, or both with a space between. A payload without it is stored as it is.
pub const LAYERS_HEADER: &str = "asynq-layers";

/// Which version of its job's payload it is; the first where there is none.
pub const VERSION_HEADER: &str = "asynq-version";
