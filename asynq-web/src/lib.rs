//! The Web UI of asynq.
