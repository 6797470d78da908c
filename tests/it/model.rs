//! Random operations on both brokers: each operation tells the same and leaves the same behind.

use asynq::broker::conformance::model::{self, Known, Op};
use asynq::broker::conformance::{Fixture, MemoryFixture};
use asynq_testkit::{RedisFixture, RedisServer};
use proptest::sample::subsequence;
use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use tokio::runtime::Runtime;

/// How many operations there are at most in a sequence.
const LONGEST: usize = 100;

#[test]
fn both_brokers_agree() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start());
    let config =
        Config { cases: 48, failure_persistence: None, max_shrink_iters: 1_000, ..Config::default() };
    // A seed does not shrink to anything simpler. What shrinks is which of its operations are taken.
    let seeds = proptest::num::u64::ANY.no_shrink();
    let sequences = seeds.prop_flat_map(|seed| subsequence(model::random_ops(seed, LONGEST), 1..=LONGEST));
    let agreed = TestRunner::new(config)
        .run(&sequences, |ops| runtime.block_on(compare(&server, &ops)).map_err(TestCaseError::fail));
    match agreed {
        Ok(()) => {}
        Err(TestError::Fail(difference, ops)) => {
            let steps = ops.iter().enumerate().map(|(step, op)| format!("{step:3}: {op:?}\n"));
            panic!("{difference}\nafter these operations:\n{}", steps.collect::<String>());
        }
        Err(error) => panic!("{error}"),
    }
}

/// Applies the operations to both; in what they differ first.
async fn compare(server: &RedisServer, ops: &[Op]) -> Result<(), String> {
    let redis = RedisFixture::new(server).await;
    let memory = MemoryFixture::new(redis.clock().now());
    let (mut of_redis, mut of_memory) = (Known::default(), Known::default());
    let mut is_broken = false;
    for (step, op) in ops.iter().enumerate() {
        let on_redis = model::apply(&redis, op, &mut of_redis).await;
        let on_memory = model::apply(&memory, op, &mut of_memory).await;
        if on_redis != on_memory {
            return Err(format!("step {step} tells\n{on_redis:?} on Redis, but\n{on_memory:?} in memory"));
        }
        let (on_redis, on_memory) = (redis.dump().await, memory.dump().await);
        let mut differences = on_redis.differences(&on_memory);
        is_broken |= op.is_break();
        if !is_broken {
            differences.extend(model::broken_invariants(&on_redis));
        }
        if !differences.is_empty() {
            return Err(format!("step {step} leaves, on Redis ≠ in memory\n{}", differences.join("\n")));
        }
    }
    Ok(())
}
