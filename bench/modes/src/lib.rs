//! What every contender of the benchmarks does, whatever library it is written with: a program is a [`Contender`] and
//! calls [`main`] with its arguments, a mode and `name=value` settings; or [`main_or`], where it can do more.
//!
//! ```text
//! enqueue tasks=N callers=P        P callers enqueue N tasks, one call for each
//! enqueue-all tasks=N batch=B      one caller enqueues N tasks, B by each call
//! send tasks=K per_second=R        one caller enqueues K tasks, R in each second
//! drain tasks=N slots=C            a worker with C slots runs N tasks
//! latency tasks=K slots=C          a worker with C slots reports how late each of K tasks began
//! worker slots=C                   a worker with C slots
//! ```
//!
//! Settings that are not given are zero, which is: off. `bytes` is the size of payloads (101 unless given), `queues`
//! over how many queues tasks are spread, `delay_ms` when tasks are due, `sleep_ms` how long handlers take and
//! `spread_ms` how much longer they take at most, each its own time,
//! `retention`, `unique` and `group` are options of tasks.
//!
//! Redis is at `ASYNQ_BENCH_REDIS`. Results are lines of JSON on standard output. A worker stops when its standard input
//! ends.

mod job;
mod modes;
mod settings;
mod told;

pub use job::Job;
pub use modes::{Contender, exit_code, main, main_only, main_or};
pub use settings::{Settings, queue_name, queue_names};
pub use told::Handler;
