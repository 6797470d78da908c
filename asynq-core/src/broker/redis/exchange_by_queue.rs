//! An exchange on a cluster: one call for each queue, all at once.
//!
//! Which queue gives how many tasks is drawn here, by what each has waiting at this moment: as the script does it for
//! the queues of a single server, but for what changes between the look and the call. A queue whose node does not
//! answer is left out, and does not keep others from being served.

use futures_util::future::join_all;

use super::RedisBroker;
use crate::broker::{BrokerError, Demand, Exchanged, QueueShare, Settled, Settlement, Transition, TypeShare};
use crate::task::QueueName;

const DOING: &str = "exchange";

/// What one queue's call is for.
struct Part {
    queue: QueueName,
    /// The settlements, by their places in the caller's list.
    places: Vec<usize>,
    slots: usize,
}

/// What a look at a queue has shown.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    waiting: usize,
    is_paused: bool,
}

impl RedisBroker {
    pub(super) async fn exchange_by_queue(
        &self,
        settle: &[Settlement],
        demand: &Demand,
    ) -> Result<Exchanged, BrokerError> {
        let mut exchanged =
            Exchanged { settled: vec![Settled::Unanswered; settle.len()], ..Exchanged::default() };
        let mut parts: Vec<Part> = Vec::new();
        let seen = self.look_at_all(settle, demand, &mut exchanged).await;
        for (share, slots) in demand.queues.iter().zip(draw(demand, &seen)) {
            if slots > 0 {
                parts.push(Part { queue: share.queue.clone(), places: Vec::new(), slots });
            }
        }
        for (place, settlement) in settle.iter().enumerate() {
            if let Some(part) = parts.iter_mut().find(|part| part.queue == settlement.queue) {
                part.places.push(place);
            } else {
                let (queue, places) = (settlement.queue.clone(), vec![place]);
                parts.push(Part { queue, places, slots: 0 });
            }
        }
        let mut answered = exchanged.failure.is_none();
        if demand.types.is_empty() {
            let calls = parts.iter().map(|part| self.exchange_part(settle, demand, part, Vec::new()));
            for (part, answer) in parts.iter().zip(join_all(calls).await) {
                answered |= exchanged.add(part, answer);
            }
        } else {
            // How many of a type may be taken holds for all queues together.
            let mut types = demand.types.clone();
            for part in &parts {
                let answer = self.exchange_part(settle, demand, part, types.clone()).await;
                answered |= exchanged.add_limited(part, answer, &mut types);
            }
            // What was drawn for a queue whose tasks could not be taken goes to the others.
            for (share, look) in demand.queues.iter().zip(&seen) {
                let taken = exchanged.leased.iter().filter(|leased| leased.queue == share.queue).count();
                let slots = look.open(share).saturating_sub(taken);
                let slots = slots.min(demand.slots.saturating_sub(exchanged.leased.len()));
                let is_full = exchanged.passed_over.contains(&share.queue);
                if slots > 0 && !is_full && !exchanged.passed_over.is_empty() {
                    let part = Part { queue: share.queue.clone(), places: Vec::new(), slots };
                    let answer = self.exchange_part(settle, demand, &part, types.clone()).await;
                    answered |= exchanged.add_limited(&part, answer, &mut types);
                }
            }
        }
        match exchanged.failure {
            Some(failure) if !answered => Err(failure),
            _ => Ok(exchanged),
        }
    }

    /// A look at each queue of the demand; none where nothing is to be taken.
    async fn look_at_all(
        &self,
        settle: &[Settlement],
        demand: &Demand,
        exchanged: &mut Exchanged,
    ) -> Vec<Look> {
        if demand.slots == 0 {
            return Vec::new();
        }
        if demand.queues.len() == 1 {
            // It gives what it has.
            return vec![Look { waiting: usize::MAX, is_paused: false }];
        }
        let looks = demand.queues.iter().map(|share| self.look(&share.queue));
        let mut seen = Vec::with_capacity(demand.queues.len());
        for (share, look) in demand.queues.iter().zip(join_all(looks).await) {
            match look {
                Ok(mut look) => {
                    if look.is_paused {
                        exchanged.paused.push(share.queue.clone());
                    }
                    // What is put back in the same call can be taken again.
                    let put_back = settle.iter().filter(|settlement| {
                        settlement.queue == share.queue
                            && matches!(settlement.transition, Transition::Requeue { .. })
                    });
                    look.waiting += put_back.count();
                    seen.push(look);
                }
                Err(error) => {
                    exchanged.failure.get_or_insert(error);
                    seen.push(Look::default());
                }
            }
        }
        seen
    }

    async fn look(&self, queue: &QueueName) -> Result<Look, BrokerError> {
        let keys = self.keyspace.queue(queue);
        let mut pipe = redis::pipe();
        pipe.cmd("EXISTS").arg(keys.paused());
        pipe.cmd("LLEN").arg(keys.pending());
        let (is_paused, waiting) = self.exchange.query_each(DOING, &pipe).await?;
        Ok(Look { waiting, is_paused })
    }

    async fn exchange_part(
        &self,
        settle: &[Settlement],
        demand: &Demand,
        part: &Part,
        types: Vec<TypeShare>,
    ) -> Result<Exchanged, BrokerError> {
        let settle: Vec<Settlement> =
            part.places.iter().filter_map(|&place| settle.get(place).cloned()).collect();
        let beat = demand.queues.iter().any(|share| share.queue == part.queue && share.beat);
        let demand = Demand {
            server_id: demand.server_id.clone(),
            slots: part.slots,
            queues: vec![QueueShare { beat, ..QueueShare::new(part.queue.clone(), 1) }],
            strict: demand.strict,
            types,
            pending_since: demand.pending_since,
        };
        self.exchange_at_once(&settle, &demand).await
    }
}

impl Look {
    /// How many tasks may be taken.
    fn open(self, share: &QueueShare) -> usize {
        if self.is_paused { 0 } else { self.waiting.min(share.slots) }
    }
}

impl Exchanged {
    /// As [`add`](Self::add), where only so many tasks of some types may be taken.
    fn add_limited(
        &mut self,
        part: &Part,
        answer: Result<Self, BrokerError>,
        types: &mut [TypeShare],
    ) -> bool {
        if let Ok(answer) = &answer {
            take_from(types, answer);
        }
        self.add(part, answer)
    }

    /// Adds what one queue's call gave, and tells whether it gave anything.
    fn add(&mut self, part: &Part, answer: Result<Self, BrokerError>) -> bool {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.failure.get_or_insert(error);
                return false;
            }
        };
        for (&place, settled) in part.places.iter().zip(answer.settled) {
            if let Some(outcome) = self.settled.get_mut(place) {
                *outcome = settled;
            }
        }
        self.leased.extend(answer.leased);
        self.dropped.extend(answer.dropped);
        self.paused.extend(answer.paused);
        self.passed_over.extend(answer.passed_over);
        self.is_crowded |= answer.is_crowded;
        true
    }
}

/// What has been taken may not be taken again.
fn take_from(types: &mut [TypeShare], answer: &Exchanged) {
    for message in answer.leased.iter().filter_map(|leased| leased.message.as_ref().ok()) {
        if let Some(share) = types.iter_mut().find(|share| *share.task_type == *message.task_type) {
            share.slots = share.slots.saturating_sub(1);
        }
    }
}

/// How many tasks each queue gives, as `exchange.lua` draws them.
fn draw(demand: &Demand, seen: &[Look]) -> Vec<usize> {
    let mut waiting: Vec<usize> =
        demand.queues.iter().zip(seen).map(|(share, look)| look.open(share)).collect();
    let mut shares = vec![0; waiting.len()];
    let mut slots = demand.slots;
    if demand.strict {
        for (share, waiting) in shares.iter_mut().zip(waiting) {
            *share = waiting.min(slots);
            slots -= *share;
        }
        return shares;
    }
    let weight = |at: usize| demand.queues.get(at).map_or(1.0, |share| f64::from(share.weight.max(1)));
    while slots > 0 {
        let open: Vec<usize> =
            waiting.iter().enumerate().filter(|(_, left)| **left > 0).map(|(at, _)| at).collect();
        let mut left = fastrand::f64() * open.iter().map(|&at| weight(at)).sum::<f64>();
        let Some(&last) = open.last() else { break };
        let drawn = open.iter().copied().find(|&at| {
            left -= weight(at);
            left < 0.0
        });
        let drawn = drawn.unwrap_or(last);
        if let (Some(share), Some(left)) = (shares.get_mut(drawn), waiting.get_mut(drawn)) {
            *share += 1;
            *left -= 1;
        }
        slots -= 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(weights: &[u32], slots: usize, strict: bool) -> Demand {
        let queues = weights
            .iter()
            .enumerate()
            .map(|(at, &weight)| QueueShare::new(QueueName::new(format!("q{at}")).unwrap(), weight));
        Demand { slots, strict, queues: queues.collect(), ..Demand::none() }
    }

    fn waiting(counts: &[usize]) -> Vec<Look> {
        counts.iter().map(|&waiting| Look { waiting, is_paused: false }).collect()
    }

    #[test]
    fn strictly_the_first_queues_give_all_they_have() {
        let demand = demand(&[1, 1, 1], 10, true);
        assert_eq!(draw(&demand, &waiting(&[4, 0, 20])), [4, 0, 6]);
        assert_eq!(draw(&demand, &waiting(&[40, 9, 20])), [10, 0, 0]);
    }

    #[test]
    fn slots_are_drawn_by_weight_and_none_is_left_while_tasks_wait() {
        let demand = demand(&[6, 3, 1], 1_000, false);
        let shares = draw(&demand, &waiting(&[5_000, 5_000, 5_000]));
        assert_eq!(shares.iter().sum::<usize>(), 1_000);
        assert!((500..700).contains(&shares[0]) && (50..160).contains(&shares[2]), "{shares:?}");
        assert_eq!(draw(&demand, &waiting(&[2, 0, 3])), [2, 0, 3]);
    }

    #[test]
    fn a_paused_queue_and_one_that_is_full_give_no_more() {
        let mut demand = demand(&[1, 1], 10, false);
        demand.queues[1].slots = 3;
        let mut looks = waiting(&[50, 50]);
        looks[0].is_paused = true;
        assert_eq!(draw(&demand, &looks), [0, 3]);
    }
}
