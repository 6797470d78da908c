//! How fast a worker runs tasks that do nothing, and what that costs.

use std::time::Duration;

use anyhow::Result;

use super::{Lab, Mode, Question, Row, Took, clean, count, few, per};
use crate::distance::Distance;
use crate::process::{Programs, pause};
use crate::redis::Redis;
use crate::system::System;

/// The drain that is looked at closely.
const CLOSE_LOOK: usize = 50;

/// A tenth of what crossing an ocean takes: another zone of the same cloud, twice.
const ROUND_TRIP: Duration = Duration::from_micros(2_500);

pub(super) fn add(questions: &mut Vec<Box<dyn Question>>, quick: bool) {
    let tasks = few(100_000, quick);
    for slots in [1, 10, 50, 200] {
        questions.push(Box::new(Drain { tasks, slots }));
    }
    for (slots, is_ahead) in [(10, true), (10, false), (100, true)] {
        questions.push(Box::new(Far { tasks: few(50_000, quick), slots, is_ahead }));
    }
    questions.push(Box::new(Durable { tasks: few(50_000, quick) }));
    questions.push(Box::new(Memory { tasks: few(1_000_000, quick) }));
}

/// What a drain was seen to cost.
struct Seen {
    seconds: f64,
    redis_us: f64,
    calls: f64,
    script_calls: f64,
    worker_us: f64,
    memory: f64,
}

/// Lets a worker run what is there, and looks whether each task was acknowledged.
fn drain(programs: &Programs, redis: &mut Redis, system: System, mode: &Mode, tasks: usize) -> Result<Seen> {
    let (calls, redis_seconds) = (redis.calls()?, redis.processor_seconds()?);
    let worker = programs.start_worker(system, mode)?;
    let Took { seconds } = worker.line()?;
    let worker_time = worker.processor_time()?;
    pause(Duration::from_millis(300));
    let memory = worker.resident_mib()?;
    if System::BOTH.contains(&system) {
        worker.stop()?;
    }
    let (calls_after, redis_seconds_after) = (redis.calls()?, redis.processor_seconds()?);
    if System::BOTH.contains(&system) {
        redis.expect_acknowledged(tasks)?;
    }
    let tasks = count(tasks);
    Ok(Seen {
        seconds,
        redis_us: (redis_seconds_after - redis_seconds) * 1e6 / tasks,
        calls: per(calls_after.all - calls.all, tasks),
        script_calls: per(calls_after.scripts - calls.scripts, tasks),
        worker_us: worker_time.as_secs_f64() * 1e6 / tasks,
        memory,
    })
}

/// Go's program fills the queue for those who share its format, each other for itself.
fn fill(programs: &Programs, redis: &mut Redis, system: System, tasks: usize) -> Result<()> {
    let is_of_go = matches!(system, System::Ours | System::Go | System::Asynq);
    let producer = if is_of_go { System::Go } else { system };
    let Took { .. } = programs.run(producer, &Mode::new("enqueue", &[("tasks", tasks), ("callers", 50)]))?;
    if is_of_go {
        redis.expect_pending(tasks)?;
    }
    pause(Duration::from_millis(300));
    Ok(())
}

/// Tasks that wait are run by so many slots.
struct Drain {
    tasks: usize,
    slots: usize,
}

impl Question for Drain {
    fn rows(&self) -> Vec<Row> {
        let name = format!("drain c={}", self.slots);
        let mut rows = vec![Row::more(name.clone(), "tasks/s")];
        if self.slots == CLOSE_LOOK {
            rows.extend([
                Row::less(format!("{name} redis_us"), "µs/task"),
                Row::less(format!("{name} calls"), "calls/task"),
                Row::less(format!("{name} script_calls"), "calls/task"),
                Row::less(format!("{name} worker_us"), "µs/task"),
                Row::less(format!("memory after {name}"), "MiB"),
            ]);
        }
        rows
    }

    fn systems(&self) -> &[System] {
        // With one slot, the crate of our name does not come to an end.
        let all = System::ALL.as_slice();
        if self.slots > 1 { all } else { all.split_last().map_or(&[], |(_, others)| others) }
    }

    fn is_quick(&self, system: System) -> bool {
        System::BOTH.contains(&system) || self.slots == CLOSE_LOOK
    }

    fn mode(&self, system: System) -> Mode {
        Mode::new("drain", &[("tasks", system.given(self.tasks)), ("slots", self.slots)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        let tasks = system.given(self.tasks);
        fill(&lab.programs, &mut lab.redis, system, tasks)?;
        let seen = drain(&lab.programs, &mut lab.redis, system, &self.mode(system), tasks)?;
        Ok(vec![
            count(tasks) / seen.seconds,
            seen.redis_us,
            seen.calls,
            seen.script_calls,
            seen.worker_us,
            seen.memory,
        ])
    }
}

/// The same, from afar.
struct Far {
    tasks: usize,
    slots: usize,
    /// Whether ours may take tasks ahead of its slots, which Go never does.
    is_ahead: bool,
}

impl Far {
    /// Go's worker has one task for each round trip.
    fn tasks(&self, system: System) -> usize {
        if system == System::Go { self.tasks / 25 } else { self.tasks }
    }
}

impl Question for Far {
    fn rows(&self) -> Vec<Row> {
        let not_ahead = if self.is_ahead { "" } else { " no_prefetch" };
        vec![Row::more(format!("drain far c={}{not_ahead}", self.slots), "tasks/s")]
    }

    fn mode(&self, system: System) -> Mode {
        let mode = Mode::new("drain", &[("tasks", self.tasks(system)), ("slots", self.slots)]);
        if system == System::Ours && !self.is_ahead { mode.with(&[("no_prefetch", 1)]) } else { mode }
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        let tasks = self.tasks(system);
        fill(&lab.programs, &mut lab.redis, system, tasks)?;
        let distance = Distance::to(lab.redis.address(), ROUND_TRIP)?;
        let far = lab.programs.on(distance.address());
        let seen = drain(&far, &mut lab.redis, system, &self.mode(system), tasks)?;
        Ok(vec![count(tasks) / seen.seconds])
    }
}

/// The same, where Redis writes each change to disk before it answers.
struct Durable {
    tasks: usize,
}

impl Durable {
    fn tasks(&self, system: System) -> usize {
        if system == System::Go { self.tasks / 10 } else { self.tasks }
    }
}

impl Question for Durable {
    fn rows(&self) -> Vec<Row> {
        vec![Row::more("drain appendfsync always", "tasks/s")]
    }

    fn mode(&self, system: System) -> Mode {
        Mode::new("drain", &[("tasks", self.tasks(system)), ("slots", CLOSE_LOOK)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        let tasks = self.tasks(system);
        let mut redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"])?;
        let programs = lab.programs.on(redis.address());
        fill(&programs, &mut redis, system, tasks)?;
        let seen = drain(&programs, &mut redis, system, &self.mode(system), tasks)?;
        Ok(vec![count(tasks) / seen.seconds])
    }
}

/// What a worker holds after very many tasks.
struct Memory {
    tasks: usize,
}

impl Question for Memory {
    fn rows(&self) -> Vec<Row> {
        vec![Row::less("memory after 1000000 tasks", "MiB")]
    }

    fn systems(&self) -> &[System] {
        &[System::Ours]
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("drain", &[("tasks", self.tasks), ("slots", CLOSE_LOOK)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        let fill = Mode::new("enqueue-all", &[("tasks", self.tasks), ("batch", 1_000)]);
        let Took { .. } = lab.programs.run(System::Ours, &fill)?;
        let seen = drain(&lab.programs, &mut lab.redis, system, &self.mode(system), self.tasks)?;
        Ok(vec![seen.memory])
    }

    fn rounds(&self) -> usize {
        3
    }
}
