//! What a task costs where there is much of everything: it should be the same.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use asynq_bench_modes::queue_names;

use super::{Lab, Mode, Question, Row, Took, clean, count, few, per};
use crate::cluster::Cluster;
use crate::process::{Child, pause};
use crate::system::System;

/// How often a point of a curve is measured: there are many, and some take minutes.
const CURVE_ROUNDS: usize = 2;

pub(super) fn add(questions: &mut Vec<Box<dyn Question>>, quick: bool) {
    let tasks = few(50_000, quick);
    for depth in [1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        if !quick || depth == 100_000 {
            questions.push(Box::new(Depth { depth }));
        }
    }
    for (name, fill) in [
        ("1000000 scheduled", Beside::Scheduled(few(1_000_000, quick))),
        ("100000 groups", Beside::Groups(few(100_000, quick))),
        ("10 in flight", Beside::InFlight(10)),
        ("10000 in flight", Beside::InFlight(few(10_000, quick))),
    ] {
        questions.push(Box::new(DrainBeside { name, fill, tasks }));
    }
    if !quick {
        questions.push(Box::new(InNoOrder { tasks: 100_000, slots: 10_000 }));
    }
    for queues in [1, 10, 100, 1_000] {
        if !quick || queues == 1_000 {
            questions.push(Box::new(Queues { queues, tasks }));
        }
    }
    for workers in [1, 2, 4, 8, 16, 50] {
        if !quick || workers == 4 {
            questions.push(Box::new(Workers { workers, tasks: few(100_000, quick) }));
        }
    }
    if !quick {
        questions.push(Box::new(Herd { workers: 50, tasks: 200 }));
    }
    for masters in [1, 2, 3] {
        if !quick || masters == 3 {
            questions.push(Box::new(Masters { masters, tasks: few(60_000, quick) }));
        }
    }
}

fn rate_and_cost(name: &str) -> Vec<Row> {
    vec![Row::more(name, "tasks/s"), Row::less(format!("{name} redis_us"), "µs/task")]
}

/// Our own program fills queues: it is the fastest, and stores the same.
fn fill(lab: &Lab, tasks: usize, settings: &[(&'static str, usize)]) -> Result<()> {
    let mode = Mode::new("enqueue-all", &[("tasks", tasks), ("batch", 1_000)]).with(settings);
    let Took { .. } = lab.programs.run(System::Ours, &mode)?;
    Ok(())
}

/// The same in an empty Redis, which has come to rest afterwards.
fn fill_anew(lab: &mut Lab, tasks: usize, settings: &[(&'static str, usize)]) -> Result<()> {
    clean(&mut lab.redis)?;
    fill(lab, tasks, settings)?;
    pause(Duration::from_millis(300));
    Ok(())
}

/// Lets a worker run so many of the tasks that are there: how fast, and for how much of Redis' time.
fn drain(lab: &mut Lab, system: System, mode: &Mode, queues: &[String], tasks: usize) -> Result<Vec<f64>> {
    let before = lab.redis.processor_seconds()?;
    let worker = lab.programs.start_worker(system, mode)?;
    let Took { seconds } = worker.line()?;
    // More may have been run by now, of a longer queue.
    let (used, done) = (lab.redis.processor_seconds()? - before, lab.redis.processed(queues)?);
    worker.stop()?;
    ensure!(done + 1_000 >= tasks, "{done} tasks were counted as processed of {tasks}");
    Ok(vec![count(tasks) / seconds, used * 1e6 / count(done.max(tasks))])
}

/// A queue of so many tasks.
struct Depth {
    depth: usize,
}

impl Depth {
    fn tasks(&self) -> usize {
        self.depth.min(100_000)
    }
}

impl Question for Depth {
    fn rows(&self) -> Vec<Row> {
        rate_and_cost(&format!("drain depth={}", self.depth))
    }

    fn systems(&self) -> &[System] {
        &[System::Ours]
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("drain", &[("tasks", self.tasks()), ("slots", 50)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        fill_anew(lab, self.depth, &[])?;
        let seen = drain(lab, system, &self.mode(system), &queue_names(1), self.tasks())?;
        lab.redis.flush()?;
        Ok(seen)
    }

    fn rounds(&self) -> usize {
        CURVE_ROUNDS
    }
}

/// What stands beside the tasks that are run.
#[derive(Clone, Copy, Debug)]
enum Beside {
    Scheduled(usize),
    Groups(usize),
    /// In the same queue, held by another worker.
    InFlight(usize),
}

/// A drain where the same queue holds much that is not to be run now.
struct DrainBeside {
    name: &'static str,
    fill: Beside,
    tasks: usize,
}

impl DrainBeside {
    fn hold(&self, lab: &mut Lab) -> Result<Option<Child>> {
        const DAY_MS: usize = 24 * 3_600 * 1_000;
        match self.fill {
            Beside::Scheduled(tasks) => fill(lab, tasks, &[("delay_ms", DAY_MS)])?,
            Beside::Groups(groups) => fill(lab, groups, &[("group", groups)])?,
            Beside::InFlight(tasks) => {
                fill(lab, tasks, &[])?;
                let hold = Mode::new("worker", &[("slots", tasks), ("sleep_ms", DAY_MS)]);
                let holder = lab.programs.start_worker(System::Ours, &hold)?;
                lab.redis.wait_for_active(tasks)?;
                return Ok(Some(holder));
            }
        }
        Ok(None)
    }
}

impl Question for DrainBeside {
    fn rows(&self) -> Vec<Row> {
        rate_and_cost(&format!("drain beside {}", self.name))
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("drain", &[("tasks", self.tasks), ("slots", 10)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        let holder = self.hold(lab)?;
        fill(lab, self.tasks, &[])?;
        pause(Duration::from_millis(300));
        let seen = drain(lab, system, &self.mode(system), &queue_names(1), self.tasks)?;
        // What it holds would take it a day to finish.
        drop(holder);
        Ok(seen)
    }

    fn rounds(&self) -> usize {
        if matches!(self.fill, Beside::InFlight(_)) { usize::MAX } else { CURVE_ROUNDS }
    }
}

/// A worker with very many slots, whose tasks end in no order.
struct InNoOrder {
    tasks: usize,
    slots: usize,
}

impl Question for InNoOrder {
    fn rows(&self) -> Vec<Row> {
        rate_and_cost("drain in no order")
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("drain", &[("tasks", self.tasks), ("slots", self.slots), ("spread_ms", 200)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        fill_anew(lab, self.tasks, &[])?;
        drain(lab, system, &self.mode(system), &queue_names(1), self.tasks)
    }

    fn rounds(&self) -> usize {
        CURVE_ROUNDS
    }
}

/// Tasks over so many queues.
struct Queues {
    queues: usize,
    tasks: usize,
}

impl Question for Queues {
    fn rows(&self) -> Vec<Row> {
        rate_and_cost(&format!("drain queues={}", self.queues))
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("drain", &[("tasks", self.tasks), ("slots", 50), ("queues", self.queues)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        fill_anew(lab, self.tasks, &[("queues", self.queues)])?;
        drain(lab, system, &self.mode(system), &queue_names(self.queues), self.tasks)
    }

    fn rounds(&self) -> usize {
        CURVE_ROUNDS
    }
}

/// So many worker processes at one queue, each with ten slots.
struct Workers {
    workers: usize,
    tasks: usize,
}

/// Starts workers, and lets them come to rest.
fn start_workers(lab: &Lab, system: System, workers: usize, mode: &Mode) -> Result<Vec<Child>> {
    let all = (0..workers).map(|_| lab.programs.start_worker(system, mode)).collect::<Result<_>>()?;
    pause(Duration::from_secs(2));
    Ok(all)
}

impl Question for Workers {
    fn rows(&self) -> Vec<Row> {
        rate_and_cost(&format!("drain workers={}", self.workers))
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("worker", &[("slots", 10)])
    }

    /// The tasks are put before all of them at one moment.
    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        clean(&mut lab.redis)?;
        fill(lab, self.tasks, &[])?;
        lab.redis.hide_pending()?;
        let workers = start_workers(lab, system, self.workers, &self.mode(system))?;
        let before = lab.redis.processor_seconds()?;
        lab.redis.show_pending()?;
        let seconds = lab.redis.time_of_processing(self.tasks)?;
        let used = lab.redis.processor_seconds()? - before;
        pause(Duration::from_millis(300));
        for worker in workers {
            worker.stop()?;
        }
        lab.redis.expect_acknowledged(self.tasks)?;
        Ok(vec![count(self.tasks) / seconds.as_secs_f64(), used * 1e6 / count(self.tasks)])
    }

    fn rounds(&self) -> usize {
        CURVE_ROUNDS
    }
}

/// What it costs that a task wakes more workers than one.
struct Herd {
    workers: usize,
    tasks: usize,
}

impl Herd {
    const PER_SECOND: usize = 50;

    /// Commands for each task, those of idle workers left out.
    fn calls_for_each_task(&self, lab: &mut Lab, system: System, workers: usize) -> Result<f64> {
        clean(&mut lab.redis)?;
        let workers = start_workers(lab, system, workers, &self.mode(system))?;
        let (before, start) = (lab.redis.calls()?.all, Instant::now());
        pause(Duration::from_secs(3));
        let idle = per(lab.redis.calls()?.all - before, start.elapsed().as_secs_f64());
        let (before, start) = (lab.redis.calls()?.all, Instant::now());
        let send = Mode::new("send", &[("tasks", self.tasks), ("per_second", Self::PER_SECOND)]);
        lab.programs.start(System::Go, &send)?.stop()?;
        pause(Duration::from_millis(500));
        let (asked, took) = (lab.redis.calls()?.all - before, start.elapsed().as_secs_f64());
        for worker in workers {
            worker.stop()?;
        }
        lab.redis.expect_acknowledged(self.tasks)?;
        Ok((per(asked, 1.0) - idle * took) / count(self.tasks))
    }
}

impl Question for Herd {
    fn rows(&self) -> Vec<Row> {
        vec![Row::less(format!("herd workers={}", self.workers), "calls/idle worker and task")]
    }

    fn systems(&self) -> &[System] {
        &[System::Ours]
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("worker", &[("slots", 10)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        let alone = self.calls_for_each_task(lab, system, 1)?;
        let together = self.calls_for_each_task(lab, system, self.workers)?;
        Ok(vec![(together - alone) / count(self.workers - 1)])
    }

    fn rounds(&self) -> usize {
        CURVE_ROUNDS
    }
}

/// A cluster of so many masters. They share the cores of this machine: what each of them worked tells what they could
/// do if each had its own.
struct Masters {
    masters: usize,
    tasks: usize,
}

impl Masters {
    /// As many for each master, whether there are one, two or three.
    const QUEUES: usize = 24;
}

impl Question for Masters {
    fn rows(&self) -> Vec<Row> {
        let name = format!("cluster masters={}", self.masters);
        let limit = Row::more(format!("{name} limit"), "tasks/s");
        let cost = Row::less(format!("{name} redis_us"), "µs/task");
        vec![Row::more(name, "tasks/s"), limit, cost]
    }

    fn systems(&self) -> &[System] {
        &[System::Ours]
    }

    fn mode(&self, _: System) -> Mode {
        Mode::new("drain", &[("tasks", self.tasks), ("slots", 200), ("queues", Self::QUEUES)])
    }

    fn measure(&self, lab: &mut Lab, system: System) -> Result<Vec<f64>> {
        let mut cluster = Cluster::start(self.masters, &queue_names(Self::QUEUES))?;
        let programs = lab.programs.on(&cluster.url());
        let before = cluster.processor_seconds()?;
        let fill =
            Mode::new("enqueue-all", &[("tasks", self.tasks), ("batch", 1_000), ("queues", Self::QUEUES)]);
        let Took { seconds: enqueuing } = programs.run(system, &fill)?;
        let worker = programs.start_worker(system, &self.mode(system))?;
        let Took { seconds: running } = worker.line()?;
        worker.stop()?;
        let used: Vec<f64> = cluster.processor_seconds()?.iter().zip(before).map(|(a, b)| a - b).collect();
        let busiest = used.iter().copied().fold(0.0, f64::max);
        let tasks = count(self.tasks);
        Ok(vec![tasks / (enqueuing + running), tasks / busiest, used.iter().sum::<f64>() * 1e6 / tasks])
    }

    fn rounds(&self) -> usize {
        CURVE_ROUNDS
    }
}
