//! What a client does by itself for a call, without a server: for the benches that count instructions.

use super::RedisBroker;
use super::connection::broker_error;
use super::enqueue::EncodedTask;
use super::exchange::Exchange;
use crate::broker::{BrokerError, Demand, Exchanged, NewTask, Settlement};
use crate::task::QueueName;

impl RedisBroker {
    /// The call that stores these tasks, as it travels.
    #[doc(hidden)]
    pub fn packed_enqueue(&self, queue: &QueueName, tasks: &[NewTask]) -> Vec<u8> {
        if let [task] = tasks {
            return self.loaded_call(queue, &[EncodedTask::new(task)]).packed();
        }
        let tasks: Vec<_> = tasks.iter().map(EncodedTask::new).collect();
        self.loaded_call(queue, &tasks).packed()
    }

    /// An exchange as it travels, and what it comes to when this is the answer.
    #[doc(hidden)]
    pub fn exchange_with_answer(
        &self,
        settle: &[Settlement],
        demand: &Demand,
        answer: &[u8],
    ) -> (Vec<u8>, Result<Exchanged, BrokerError>) {
        let exchange =
            Exchange::new(&self.keyspace, self.clock.now(), &self.archive_limits, settle, demand, false);
        let call = exchange.call().packed();
        let answer = redis::parse_redis_value(answer).map_err(|error| broker_error("exchange", error));
        (call, answer.and_then(|answer| Ok(exchange.read(answer)?.0)))
    }
}
