//! The client's own share of a task's way, over and over: what `cargo xtask budget` counts the instructions and the
//! allocations of. No server and no runtime take part, so the same program gives the same numbers.
//!
//! Called with the name of a step and how often it is done.

use std::hint::black_box;

use anyhow::{Context, Result, bail, ensure};
use asynq::broker::redis::RedisBroker;
use asynq::broker::{Demand, Exchanged, Leased, NewTask, QueueShare, Settled, Settlement, Transition};
use asynq::clock::Clock;
use asynq::{Client, ConnectOptions, QueueName, Router, job};
use jiff::Timestamp;

/// How many tasks a call carries that carries many.
const MANY: usize = 100;

/// As jobs are: a few short fields.
#[job(name = "email:send", queue = "default")]
async fn send_email(to: String, subject: String, user: u64) -> Result<(), std::fmt::Error> {
    black_box((to, subject, user));
    Ok(())
}

/// What each step needs.
struct Bench {
    broker: RedisBroker,
    client: Client,
    router: Router,
    queue: QueueName,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(step), Some(times)) = (arguments.next(), arguments.next()) else {
        bail!("usage: asynq-bench-hot-path STEP TIMES");
    };
    let times: usize = times.parse().context("TIMES is no number")?;
    let bench = Bench {
        // Nothing is sent, so nothing is connected.
        broker: RedisBroker::connecting(
            ConnectOptions::new("redis://127.0.0.1")?,
            Clock::manual(Timestamp::from_second(2_000_000_000)?),
        )?,
        client: Client::in_memory(),
        router: Router::registered()?,
        queue: QueueName::new("default")?,
    };
    match step.as_str() {
        "encode" => bench.encode(times),
        "encode-many" => bench.encode_many(times / MANY),
        "exchange" => bench.exchange(times / MANY),
        "dispatch" => bench.dispatch(times),
        "settle" => bench.settle(times / MANY),
        other => bail!("there is no step `{other}`"),
    }
}

impl Bench {
    /// A job becomes a call that stores it.
    fn encode(&self, times: usize) -> Result<()> {
        for number in 0..times {
            let new = self.client.new_task(Self::job(number))?;
            black_box(self.broker.packed_enqueue(&self.queue, &[new]));
        }
        Ok(())
    }

    /// Many jobs become one call.
    fn encode_many(&self, calls: usize) -> Result<()> {
        for _ in 0..calls {
            let news = self.client.new_tasks((0..MANY).map(Self::job));
            ensure!(news.len() == MANY, "not all jobs became tasks");
            black_box(self.broker.packed_enqueue(&self.queue, &news));
        }
        Ok(())
    }

    /// A call that asks for tasks, and what its answer comes to.
    fn exchange(&self, calls: usize) -> Result<()> {
        let answer = self.answer_with_tasks();
        for _ in 0..calls {
            let exchanged = self.exchanged(&[], &self.demand(), &answer)?;
            ensure!(black_box(exchanged).leased.len() == MANY, "not all tasks were leased");
        }
        Ok(())
    }

    /// A leased task runs.
    fn dispatch(&self, times: usize) -> Result<()> {
        let leased = self.leased()?;
        for task in leased.iter().cycle().take(times) {
            let Ok(message) = task.message.clone() else { bail!("a message cannot be read") };
            let outcome = self.router.run_at_once(&self.client, task.queue.clone(), message);
            ensure!(matches!(black_box(outcome), Some(Ok(_))), "the handler failed");
        }
        Ok(())
    }

    /// Tasks that have ended are handed back, and as many asked for.
    fn settle(&self, calls: usize) -> Result<()> {
        let settlements: Vec<_> = self
            .leased()?
            .into_iter()
            .map(|Leased { queue, id, run, lease_until, .. }| {
                let transition = Transition::Done { unique_key: String::new() };
                Settlement { queue, id, run: Some(run), lease_until, transition }
            })
            .collect();
        // Nothing is leased, and nothing refused.
        let answer = b"*0\r\n";
        for _ in 0..calls {
            let exchanged = self.exchanged(&settlements, &self.demand(), answer)?;
            let is_applied = |settled: &Settled| *settled == Settled::Applied;
            ensure!(black_box(exchanged).settled.iter().all(is_applied), "not all were settled");
        }
        Ok(())
    }

    fn job(number: usize) -> SendEmail {
        SendEmail::new("someone@example.com".to_owned(), "Welcome".to_owned(), number as u64)
    }

    fn demand(&self) -> Demand {
        Demand {
            server_id: "host:1:00000000-0000-4000-8000-000000000000".to_owned(),
            slots: MANY,
            queues: vec![QueueShare::new(self.queue.clone(), 1)],
            ..Demand::none()
        }
    }

    /// What Redis would answer that has tasks for all slots.
    fn answer_with_tasks(&self) -> Vec<u8> {
        let mut answer = format!("*{}\r\n$6\r\nleased\r\n:1\r\n:{MANY}\r\n", 3 + 2 * MANY).into_bytes();
        for NewTask { message, .. } in self.client.new_tasks((0..MANY).map(Self::job)) {
            for bytes in [message.id.as_bytes(), &message.encode()] {
                answer.extend(format!("${}\r\n", bytes.len()).bytes());
                answer.extend(bytes);
                answer.extend(b"\r\n");
            }
        }
        answer
    }

    fn leased(&self) -> Result<Vec<Leased>> {
        Ok(self.exchanged(&[], &self.demand(), &self.answer_with_tasks())?.leased)
    }

    fn exchanged(&self, settle: &[Settlement], demand: &Demand, answer: &[u8]) -> Result<Exchanged> {
        let (call, exchanged) = self.broker.exchange_with_answer(settle, demand, answer);
        black_box(call);
        Ok(exchanged?)
    }
}
