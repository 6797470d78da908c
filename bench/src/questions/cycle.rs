//! Whole lives of tasks: enqueued and run.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Lab, Mode, Question, Row, Took, clean, count, few};
use crate::process::pause;
use crate::system::System;

pub(super) fn add(questions: &mut Vec<Box<dyn Question>>, quick: bool) {
    questions.push(Box::new(AtOnce { tasks: few(50_000, quick) }));
    for (name, what) in [("unique", Kind::Unique), ("retention", Kind::Retention)] {
        questions.push(Box::new(Cycle { name: name.to_owned(), tasks: few(30_000, quick), what }));
    }
    for bytes in [1_024, 10_240, 102_400] {
        let tasks = few(if bytes > 50_000 { 3_000 } else { 20_000 }, quick);
        if !quick || bytes == 10_240 {
            questions.push(Box::new(Cycle {
                name: format!("bytes={bytes}"),
                tasks,
                what: Kind::Bytes(bytes),
            }));
        }
    }
    questions.push(Box::new(Cycle {
        name: "group".to_owned(),
        tasks: few(30_000, quick),
        what: Kind::Group,
    }));
}

/// A producer with 50 callers and a worker with 50 slots, both at work.
struct AtOnce {
    tasks: usize,
}

impl Question for AtOnce {
    fn rows(&self) -> Vec<Row> {
        vec![Row::more("at once", "tasks/s"), Row::less("at once redis_us", "µs/task")]
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("drain", &[("tasks", self.tasks), ("slots", 50)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        let worker = lab.programs.start_worker(system, &self.mode(system))?;
        pause(Duration::from_millis(500));
        let (before, start) = (lab.redis.processor_seconds()?, Instant::now());
        let producer =
            lab.programs.start(system, &Mode::new("enqueue", &[("tasks", self.tasks), ("callers", 50)]))?;
        let Took { .. } = worker.line()?;
        let seconds = start.elapsed().as_secs_f64();
        producer.stop()?;
        worker.stop()?;
        let used = lab.redis.processor_seconds()? - before;
        lab.redis.expect_acknowledged(self.tasks)?;
        Ok(vec![count(self.tasks) / seconds, used * 1e6 / count(self.tasks)])
    }
}

/// What is particular about tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unique,
    Retention,
    Bytes(usize),
    Group,
}

/// 50 callers enqueue tasks, then 50 slots run them: both times together.
struct Cycle {
    name: String,
    tasks: usize,
    what: Kind,
}

impl Cycle {
    fn settings(&self) -> [(&'static str, usize); 1] {
        [match self.what {
            Kind::Unique => ("unique", 3_600),
            Kind::Retention => ("retention", 3_600),
            Kind::Bytes(bytes) => ("bytes", bytes),
            Kind::Group => ("group", 100),
        }]
    }
}

impl Question for Cycle {
    fn rows(&self) -> Vec<Row> {
        vec![Row::more(format!("cycle {}", self.name), "tasks/s")]
    }

    fn mode(&self, _: System) -> Mode {
        let mode = Mode::new("drain", &[("tasks", self.tasks), ("slots", 50)]);
        // A group is full once all its tasks are there.
        if self.what == Kind::Group { mode.with(&[("max_size", self.tasks / 100)]) } else { mode }
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        let fill = Mode::new("enqueue", &[("tasks", self.tasks), ("callers", 50)]).with(&self.settings());
        let Took { seconds: enqueuing } = lab.programs.run(system, &fill)?;
        let worker = lab.programs.start_worker(system, &self.mode(system))?;
        let Took { seconds: running } = worker.line()?;
        // What groups are made into is run as well, and Go looks once a second.
        pause(Duration::from_millis(if self.what == Kind::Group { 2_500 } else { 300 }));
        worker.stop()?;
        match self.what {
            Kind::Retention => lab.redis.expect_completed(self.tasks)?,
            Kind::Group => lab.redis.expect_acknowledged(100)?,
            Kind::Unique | Kind::Bytes(_) => {
                lab.redis.expect_acknowledged(self.tasks)?;
            }
        }
        Ok(vec![count(self.tasks) / (enqueuing + running)])
    }
}
