//! How fast tasks are enqueued.

use anyhow::Result;

use super::{Lab, Mode, Question, Row, Took, clean, count, few};
use crate::system::System;

pub(super) fn add(questions: &mut Vec<Box<dyn Question>>, quick: bool) {
    for (tasks, callers) in [(20_000, 1), (60_000, 10), (100_000, 50)] {
        questions.push(Box::new(Enqueue { tasks: few(tasks, quick), callers }));
    }
    for batch in [100, 1_000] {
        questions.push(Box::new(EnqueueAll { tasks: few(200_000, quick), batch }));
    }
}

/// Callers enqueue, one call for each task.
struct Enqueue {
    tasks: usize,
    callers: usize,
}

impl Question for Enqueue {
    fn rows(&self) -> Vec<Row> {
        let name = format!("enqueue p={}", self.callers);
        let redis = Row::less(format!("{name} redis_us"), "µs/task");
        vec![Row::more(name, "tasks/s"), redis]
    }

    fn systems(&self) -> &[System] {
        &System::ALL
    }

    fn is_quick(&self, system: System) -> bool {
        System::BOTH.contains(&system) || self.callers == 50
    }

    fn mode(&self, system: System) -> Mode {
        let tasks = system.given(self.tasks);
        Mode::new("enqueue", &[("tasks", tasks), ("callers", self.callers)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        let (rate, each) = enqueue(lab, system, &self.mode(system), system.given(self.tasks))?;
        Ok(vec![rate, each * 1e6])
    }
}

/// One caller enqueues many tasks by each call. Go has no such call: its 50 callers are what can be had there.
struct EnqueueAll {
    tasks: usize,
    batch: usize,
}

impl Question for EnqueueAll {
    fn rows(&self) -> Vec<Row> {
        let name = format!("enqueue_all batch={}", self.batch);
        let redis = Row::less(format!("{name} redis_us"), "µs/task");
        // What one core of Redis could store if nothing but this kept it busy.
        let share = Row::more(format!("{name} share of the limit"), "%");
        vec![Row::more(name, "tasks/s"), redis, share]
    }

    fn systems(&self) -> &[System] {
        &[System::Ours, System::Go, System::BullMq, System::BullMqOfficial, System::Apalis]
    }

    fn is_quick(&self, system: System) -> bool {
        System::BOTH.contains(&system)
    }

    fn mode(&self, system: System) -> Mode {
        match system {
            System::Go => Mode::new("enqueue", &[("tasks", self.tasks), ("callers", 50)]),
            _ => Mode::new("enqueue-all", &[("tasks", system.given(self.tasks)), ("batch", self.batch)]),
        }
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        let (rate, each) = enqueue(lab, system, &self.mode(system), system.given(self.tasks))?;
        Ok(vec![rate, each * 1e6, rate * each * 100.0])
    }
}

/// Tasks in a second, and seconds of Redis' time for each.
fn enqueue(lab: &mut Lab, system: System, mode: &Mode, tasks: usize) -> Result<(f64, f64)> {
    clean(&mut lab.redis)?;
    let before = lab.redis.processor_seconds()?;
    let Took { seconds } = lab.programs.run(system, mode)?;
    let used = lab.redis.processor_seconds()? - before;
    if System::BOTH.contains(&system) {
        lab.redis.expect_pending(tasks)?;
    }
    Ok((count(tasks) / seconds, used / count(tasks)))
}
