//! Headers of tasks that mean something to this crate; to Go they are headers like any other.

/// How the payload is encoded, as [`Codec::NAME`](crate::job::Codec::NAME) says. JSON is not marked.
pub const CODEC_HEADER: &str = "asynq-codec";

/// Which version of its job's payload it is; the first where there is none.
pub const VERSION_HEADER: &str = "asynq-version";
