//! apalis-redis as a contender: `enqueue URL N MS` stores N tasks that take so long, `work URL` runs tasks and prints
//! `begun ID` and `done ID`; `child MODE …` is a mode of the benchmarks. All settings are the library's defaults but for
//! the number of slots.

mod speed;

use std::process::ExitCode;
use std::time::Duration;

use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Job {
    id: usize,
    millis: u64,
}

async fn handle(job: Job) -> Result<(), BoxDynError> {
    println!("begun {}", job.id);
    tokio::time::sleep(Duration::from_millis(job.millis)).await;
    println!("done {}", job.id);
    Ok(())
}

fn main() -> ExitCode {
    asynq_bench_modes::main_or::<speed::Apalis, _>(run)
}

#[tokio::main]
async fn run(words: &[String]) -> Result<(), BoxDynError> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["enqueue", url, count, millis] => {
            let (count, millis): (usize, u64) = (count.parse()?, millis.parse()?);
            let mut storage = storage(url).await?;
            for id in 0..count {
                storage.push(Job { id, millis }).await?;
            }
        }
        ["work", url] => {
            let storage = storage(url).await?;
            // Two processes with one name would be one worker to it.
            let name = format!("contender-{}", std::process::id());
            WorkerBuilder::new(name).backend(storage).concurrency(20).build(handle).run().await?;
        }
        _ => return Err("enqueue URL N MS, or work URL".into()),
    }
    Ok(())
}

async fn storage(url: &str) -> Result<RedisStorage<Job>, BoxDynError> {
    let connection = apalis_redis::connect(url.to_owned()).await?;
    Ok(RedisStorage::new(connection).with_config(Config::default().queue("contender")))
}
