//! [`Examination`] and [`Repair`]: looking for what is wrong, and putting right what is of one class.

use std::future::IntoFuture;

use futures_util::future::BoxFuture;

use super::finding::Findings;
use super::rounds::{Rounds, Sink};
use super::{Class, Diagnosis};
use crate::error::{Error, Result};
use crate::inspector::Inspector;
use crate::task::{InvalidOption, QueueName};

impl Inspector {
    /// Looks for what is wrong in the store, and changes nothing: await it.
    ///
    /// It reads every task once and every key's name, in small parts, while the system runs: a call takes Redis a few
    /// milliseconds, and what only moves meanwhile is not told. It remembers some 16 bytes for each task.
    ///
    /// While somebody deletes a queue by force, some of its tasks may be told as lost.
    ///
    /// A broker in memory has none of the faults that only other programs, crashes and evictions can bring about.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_core::inspector::{Class, Inspector};
    /// use asynq_core::task::Task;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::in_memory();
    /// client.enqueue(Task::without_payload("t")?).await?;
    ///
    /// let diagnosis = Inspector::new(&client).examine().await?;
    /// let [finding] = diagnosis.findings.as_slice() else { panic!("{diagnosis:?}") };
    /// assert_eq!(finding.class, Class::Unserved);
    /// println!("{}: {}", finding.class, finding.class.explanation());
    /// # Ok(())
    /// # }
    /// ```
    pub fn examine(&self) -> Examination {
        Examination { inspector: self.clone(), queues: Vec::new() }
    }

    /// Puts right what is wrong of one class, in the way that [`Class::remedy`] tells: await it.
    ///
    /// Each of them is looked at once more in the very call that changes it; one that is not as it was seen is left. To
    /// take an ID out of the list of pending tasks, Redis goes through that list: some 30 ms when a million are pending.
    pub fn repair(&self, class: Class) -> Repair {
        Repair { inspector: self.clone(), queues: Vec::new(), class }
    }
}

/// A search for what is wrong: await it.
///
/// # Errors
///
/// [`Error::QueueNotFound`], [`Error::InvalidOption`], [`Error::Broker`].
///
/// # Cancel safety
///
/// Dropping the future loses nothing.
#[derive(Clone, Debug)]
#[must_use = "nothing is looked at until it is awaited"]
pub struct Examination {
    inspector: Inspector,
    queues: Vec<String>,
}

impl Examination {
    /// Only of this queue, and of others that are given likewise; not of the store as a whole.
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.queues.push(name.into());
        self
    }

    async fn run(self) -> Result<Diagnosis> {
        let queues = names(&self.queues)?;
        let at = self.inspector.broker.clock().now();
        let rounds = Rounds::new(&*self.inspector.broker, queues, Sink::Tell(Findings::default()));
        let (sink, tasks, queues) = rounds.run().await?;
        let findings = match sink {
            Sink::Tell(findings) => findings.into_sorted(),
            Sink::Mend { .. } => Vec::new(),
        };
        Ok(Diagnosis { findings, tasks, queues, at })
    }
}

impl IntoFuture for Examination {
    type Output = Result<Diagnosis>;
    type IntoFuture = BoxFuture<'static, Result<Diagnosis>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// A repair of what is wrong of one class: await it.
///
/// # Errors
///
/// [`Error::InvalidOption`] for a class without a [remedy](Class::remedy); otherwise as [`Examination`].
///
/// # Cancel safety
///
/// What was put right until then stays so; nothing is done by half.
#[derive(Clone, Debug)]
#[must_use = "nothing is put right until it is awaited"]
pub struct Repair {
    inspector: Inspector,
    queues: Vec<String>,
    class: Class,
}

/// What a repair did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// How many tasks, keys or whatever it is were put right.
    pub mended: usize,
    /// How many were left, since they had changed meanwhile.
    pub left: usize,
}

impl Repair {
    /// Only in this queue, and in others that are given likewise; not in the store as a whole.
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.queues.push(name.into());
        self
    }

    async fn run(self) -> Result<Repaired> {
        if self.class.remedy().is_none() {
            let reason = format!("`{}` cannot be repaired from here. {}", self.class, self.class.advice());
            return Err(InvalidOption::new("class", &reason).into());
        }
        let queues = names(&self.queues)?;
        let sink = Sink::Mend { class: self.class, repaired: Repaired::default() };
        let (sink, ..) = Rounds::new(&*self.inspector.broker, queues, sink).run().await?;
        Ok(match sink {
            Sink::Mend { repaired, .. } => repaired,
            Sink::Tell(_) => Repaired::default(),
        })
    }
}

impl IntoFuture for Repair {
    type Output = Result<Repaired>;
    type IntoFuture = BoxFuture<'static, Result<Repaired>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

fn names(queues: &[String]) -> Result<Vec<QueueName>> {
    queues.iter().map(|name| QueueName::new(name).map_err(Error::from)).collect()
}
