//! rusty-sidekiq as a contender: `enqueue URL N MS` stores N tasks that take so long, `work URL` runs tasks and prints
//! `begun ID` and `done ID`; `child MODE …` is a mode of the benchmarks. All settings are the library's defaults but for
//! the number of slots.

mod speed;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sidekiq::{Processor, ProcessorConfig, RedisConnectionManager, RedisPool, Worker};

#[derive(Debug, Deserialize, Serialize)]
struct Job {
    id: usize,
    millis: u64,
}

#[derive(Clone)]
struct Runner;

#[async_trait::async_trait]
impl Worker<Job> for Runner {
    fn opts() -> sidekiq::WorkerOpts<Job, Self> {
        sidekiq::WorkerOpts::new().queue("default")
    }

    async fn perform(&self, job: Job) -> sidekiq::Result<()> {
        println!("begun {}", job.id);
        tokio::time::sleep(Duration::from_millis(job.millis)).await;
        println!("done {}", job.id);
        Ok(())
    }
}

fn main() -> ExitCode {
    asynq_bench_modes::main_or::<speed::Sidekiq, _>(run)
}

#[tokio::main]
async fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["enqueue", url, count, millis] => {
            let (count, millis): (usize, u64) = (count.parse()?, millis.parse()?);
            let pool = pool(url, 2).await?;
            for id in 0..count {
                Runner::perform_async(&pool, Job { id, millis }).await?;
            }
        }
        ["work", url] => {
            // Each slot blocks a connection.
            let config = ProcessorConfig::default().num_workers(20);
            let mut processor = Processor::new(pool(url, 25).await?, vec!["default".to_owned()]).with_config(config);
            processor.register(Runner);
            processor.run().await;
        }
        _ => return Err("enqueue URL N MS, or work URL".into()),
    }
    Ok(())
}

async fn pool(url: &str, size: u32) -> Result<RedisPool, Box<dyn Error>> {
    Ok(bb8::Pool::builder().max_size(size).build(RedisConnectionManager::new(url)?).await?)
}
