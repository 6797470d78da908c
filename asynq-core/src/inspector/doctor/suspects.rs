//! Tasks that seem wrong: looked at a second time before anything is told of them.

use super::fault::Fault;
use super::judge::{Circumstances, fault_of};
use super::rounds::{CHUNK, Rounds, print_of};
use super::{Class, pending};
use crate::broker::{Collection, Glimpse, Spot, Standing};
use crate::error::Result;
use crate::task::{QueueName, TaskState};

/// How many tasks that seem wrong are looked for among the pending at a time.
const SUSPECTS: usize = 5_000;

/// How many of those that are pending one call looks at: for each it reads that part of the list once more.
const FEW: usize = 4;

/// How often one is looked at that moves meanwhile.
const TRIES: usize = 3;

impl Rounds<'_> {
    /// Looks at tasks for a first time, as they were met. Those that seem wrong, and those that were met before, are
    /// suspects.
    pub(super) async fn look(&mut self, queue: &QueueName, met: &[Glimpse], again: &[bool]) -> Result<()> {
        let around = self.around(queue);
        let tasks = self.broker.standings(queue, met, false).await?;
        for ((glimpse, task), again) in met.iter().zip(tasks).zip(again) {
            let is_pending = match &glimpse.at {
                Some(Spot::In(Collection::Pending)) => true,
                Some(_) => task.state == TaskState::Pending.as_str(),
                None => false,
            };
            let seems_wrong = *again || fault_of(&task, is_pending, around).is_some();
            if seems_wrong && !self.told.contains(&print_of(queue, &glimpse.id)) {
                let met = self.met.entry(queue.clone()).or_default();
                met.suspects.push((glimpse.clone(), task.trace()));
            }
        }
        if self.met.get(queue).is_some_and(|met| met.suspects.len() >= SUSPECTS) {
            self.question(queue).await?;
        }
        Ok(())
    }

    /// Looks again at those that seem wrong, knowing where among the pending they are. What moves all the time is not
    /// told.
    pub(super) async fn question(&mut self, queue: &QueueName) -> Result<()> {
        let met = self.met.entry(queue.clone()).or_default();
        let mut suspects = std::mem::take(&mut met.suspects);
        for _ in 0..TRIES {
            if suspects.is_empty() {
                break;
            }
            suspects = self.try_to_tell(queue, suspects).await?;
        }
        Ok(())
    }

    /// Tells of those that are certain; the others come back.
    async fn try_to_tell(
        &mut self,
        queue: &QueueName,
        mut suspects: Vec<(Glimpse, u64)>,
    ) -> Result<Vec<(Glimpse, u64)>> {
        let ids = suspects.iter().map(|(glimpse, _)| glimpse.id.clone());
        let Some(found) = pending::places(self.broker, queue, ids).await? else { return Ok(suspects) };
        for (glimpse, _) in &mut suspects {
            glimpse.near = found.get(&glimpse.id).cloned().unwrap_or_default();
        }
        let (pending, others): (Vec<_>, Vec<_>) =
            suspects.into_iter().partition(|(glimpse, _)| !glimpse.near.is_empty());
        let mut uncertain = Vec::new();
        for part in pending.chunks(FEW).chain(others.chunks(CHUNK)) {
            let glimpses: Vec<Glimpse> = part.iter().map(|(glimpse, _)| glimpse.clone()).collect();
            let seen = self.broker.standings(queue, &glimpses, true).await?;
            for ((glimpse, before), seen) in part.iter().zip(seen) {
                if is_certain(&seen, glimpse.near.len(), *before) {
                    self.tell(queue, seen).await?;
                } else {
                    uncertain.push((glimpse.clone(), seen.trace()));
                }
            }
        }
        Ok(uncertain)
    }

    /// Tells what is wrong with a task, if anything is, once.
    async fn tell(&mut self, queue: &QueueName, seen: Standing) -> Result<()> {
        let Some(class) = fault_of(&seen, false, self.around(queue)) else { return Ok(()) };
        if !self.told.insert(print_of(queue, &seen.id)) {
            return Ok(());
        }
        let fault = Fault::Task { class, queue: queue.clone(), seen: Box::new(seen) };
        if class == Class::Orphaned {
            self.found_unserved(fault);
            return Ok(());
        }
        self.found(fault).await
    }

    fn around(&self, queue: &QueueName) -> Circumstances {
        Circumstances { now: self.now, is_served: self.served.contains(queue.as_str()) }
    }
}

/// Whether a task stands as it is seen, given how often a search has met it among the pending, and how it stood before.
fn is_certain(seen: &Standing, met: usize, before: u64) -> bool {
    match seen.pending.unwrap_or(0) {
        // Nobody has met it there, and it has not entered while it was looked for.
        0 => met == 0 && seen.trace() == before,
        1 => met <= 1,
        _ => true,
    }
}
