//! How soon tasks begin, and what waiting for them costs.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Lab, Mode, Question, Row, clean, few, latencies, per, quantile};
use crate::process::pause;
use crate::system::System;

/// What is told of a distribution; the last is the worst.
const PERCENTS: [usize; 5] = [50, 75, 90, 99, 100];

/// Slots of a worker that waits for tasks.
const SLOTS: usize = 10;

pub(super) fn add(questions: &mut Vec<Box<dyn Question>>, quick: bool) {
    let late = |name, tasks, per_second, delay_ms, sleep_ms| Lateness {
        name,
        tasks,
        per_second,
        delay_ms,
        sleep_ms,
    };
    for lateness in [
        late("pickup", few(500, quick), 50, 0, 0),
        // Timers have a millisecond at best, so ten slots do about 5,000 tasks of one in a second.
        late("pickup under load", few(10_000, quick), 2_500, 0, 1),
        // The worker has looked at what is due next before it is.
        late("lateness known", few(500, quick), 100, 3_000, 0),
        // It has not: a Go program that tells nobody schedules tasks that are due before anybody looks.
        late("lateness unknown", few(500, quick), 100, 200, 0),
    ] {
        questions.push(Box::new(lateness));
    }
    for queues in [1, 4] {
        let seconds = if quick { 3 } else { 10 };
        questions.push(Box::new(Idle { queues, window: Duration::from_secs(seconds) }));
    }
}

/// From when a task was sent, or due, to the start of its handler. A Go program sends all of them.
struct Lateness {
    name: &'static str,
    tasks: usize,
    per_second: usize,
    delay_ms: usize,
    sleep_ms: usize,
}

impl Question for Lateness {
    fn rows(&self) -> Vec<Row> {
        PERCENTS.map(|percent| Row::less(format!("{} p{percent}", self.name), "ms")).to_vec()
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("latency", &[("tasks", self.tasks), ("slots", SLOTS)]).with(&[("sleep_ms", self.sleep_ms)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        let worker = lab.programs.start_worker(system, &self.mode(system))?;
        pause(Duration::from_millis(1_500));
        let send = Mode::new("send", &[("tasks", self.tasks), ("per_second", self.per_second)])
            .with(&[("delay_ms", self.delay_ms)]);
        let producer = lab.programs.start(System::Go, &send)?;
        let mut lates = latencies(worker.line()?, self.tasks)?;
        producer.stop()?;
        worker.stop()?;
        PERCENTS.iter().map(|percent| quantile(&mut lates, *percent)).collect()
    }
}

/// A worker for which there is nothing to do.
struct Idle {
    queues: usize,
    window: Duration,
}

impl Question for Idle {
    fn rows(&self) -> Vec<Row> {
        let name = if self.queues == 1 { "idle".to_owned() } else { format!("idle {} queues", self.queues) };
        let worker = Row::less(format!("{name} worker"), "% of a core");
        let redis = Row::less(format!("{name} redis"), "% of a core");
        vec![Row::less(name, "calls/s"), worker, redis]
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("worker", &[("slots", SLOTS), ("queues", self.queues)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        let worker = lab.programs.start_worker(system, &self.mode(system))?;
        pause(self.window / 3);
        let (calls, redis, own) =
            (lab.redis.calls()?, lab.redis.processor_seconds()?, worker.processor_time()?);
        let start = Instant::now();
        pause(self.window);
        let took = start.elapsed().as_secs_f64();
        let asked = lab.redis.calls()?.all - calls.all;
        let own = worker.processor_time()?.saturating_sub(own).as_secs_f64();
        let redis = lab.redis.processor_seconds()? - redis;
        worker.stop()?;
        Ok(vec![per(asked, took), own / took * 100.0, redis / took * 100.0])
    }
}
