//! `asynq task runall`, `archiveall` and `deleteall`: all tasks of one state.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use asynq_core::task::TaskState;
use clap::Args;

use super::act::{Verb, past, report};
use super::find::collection;
use crate::app::App;
use crate::complete;
use crate::failure::{Failure, Kind};
use crate::output::Progress;

#[derive(Args, Clone, Debug)]
pub(crate) struct Whole {
    /// The queue.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: String,
    /// pending, aggregating, scheduled, retry, archived or completed.
    #[arg(short = 's', long, add = complete::states())]
    state: TaskState,
    /// The group, of aggregating tasks.
    #[arg(short = 'g', long)]
    group: Option<String>,
}

impl Whole {
    pub(crate) async fn run(self, app: &App, verb: Verb) -> Result<(), Failure> {
        let action = verb.action();
        let collection = collection(self.state, self.group)?;
        let change = match verb {
            Verb::Run => app.inspector.run_all(&self.queue, collection),
            Verb::Archive => app.inspector.archive_all(&self.queue, collection),
            Verb::Delete => app.inspector.delete_all(&self.queue, collection),
        };
        let stop = Arc::clone(&app.stop);
        let mut progress = Progress::default();
        let ended = change
            .watch(move |so_far| {
                progress.at(so_far.changed + so_far.dropped, so_far.left);
                if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .await?;
        let line = format!("{} tasks {}", ended.changed, past(&action));
        report(
            app,
            &action,
            &[("changed", ended.changed), ("dropped", ended.dropped), ("left", ended.left)],
            &line,
        )?;
        if app.stop.load(Ordering::Relaxed) {
            return Err(Failure::new(Kind::Interrupted, "stopped before all were reached"));
        }
        Ok(())
    }
}
