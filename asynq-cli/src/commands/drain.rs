//! `asynq queue drain`: how much is left to be done, and waiting until nothing is.

use std::time::{Duration, Instant};

use asynq_core::inspector::QueueInfo;
use clap::Args;

use super::queue::existing;
use crate::app::App;
use crate::failure::{Failure, Kind};
use crate::human;
use crate::output::{Cell, Column, Listing};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(500);

#[derive(Args, Clone, Debug)]
pub(crate) struct Drain {
    /// Names of queues.
    #[arg(required = true, value_name = "QUEUE")]
    queues: Vec<String>,
    /// Wait until nothing is left.
    #[arg(long)]
    wait: bool,
    /// Pause them first: then only what is being run counts, and nothing more is begun.
    #[arg(long)]
    pause: bool,
    /// Also what waits for its time, or for another attempt.
    #[arg(long, conflicts_with = "pause")]
    scheduled: bool,
    /// With --wait: no longer than this; what is left then is a failure.
    #[arg(long, requires = "wait", value_name = "TIME", value_parser = human::duration)]
    within: Option<Duration>,
}

impl Drain {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        for queue in &self.queues {
            let queue = existing(app, queue).await?;
            if self.pause {
                app.inspector.pause(&queue).await?;
            }
        }
        let began = Instant::now();
        loop {
            let mut queues = Vec::new();
            for queue in &self.queues {
                queues.push(app.inspector.queue_info(queue).await?);
            }
            let left: usize = queues.iter().map(|queue| self.left(queue)).sum();
            let is_late = self.within.is_some_and(|limit| began.elapsed() >= limit);
            if left == 0 || !self.wait || is_late {
                app.printer.listing(&self.listing(&queues))?;
                if left > 0 {
                    return Err(Failure::new(Kind::Failed, format!("{left} tasks are left")));
                }
                return Ok(());
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// What is to be done yet. Of a paused queue that is what was begun.
    fn left(&self, queue: &QueueInfo) -> usize {
        let begun = queue.active + queue.staged;
        if queue.is_paused() {
            return begun;
        }
        let later = if self.scheduled { queue.scheduled + queue.retry } else { 0 };
        begun + queue.pending + queue.aggregating + later
    }

    fn listing(&self, queues: &[QueueInfo]) -> Listing {
        let mut listing = Listing::new(
            &[
                Column::new("queue", "Queue"),
                Column::new("left", "Left"),
                Column::new("active", "Active"),
                Column::new("pending", "Pending"),
                Column::new("aggregating", "Aggregating"),
                Column::new("scheduled", "Scheduled"),
                Column::new("retry", "Retry"),
                Column::new("paused", "Paused"),
            ],
            "",
        );
        for queue in queues {
            listing.push([
                Cell::text(queue.queue.as_str()),
                Cell::count(self.left(queue)),
                Cell::count(queue.active),
                Cell::count(queue.pending),
                Cell::count(queue.aggregating),
                Cell::count(queue.scheduled),
                Cell::count(queue.retry),
                Cell::flag(queue.is_paused()),
            ]);
        }
        listing
    }
}
