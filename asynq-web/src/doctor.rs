//! [`Doctor`]: looking for what is wrong in all that is stored, and putting it right; for all visitors together.
//!
//! Reading every task costs Redis what a list does not, so it is done when somebody asks for it, one thing at a time, and
//! what was found is kept for all.

use std::sync::Arc;
use std::time::Duration;

use asynq_core::inspector::{Class, Diagnosis, Inspector, Repair, Repaired};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::background::Background;
use crate::problem::Problem;

/// What was found, and what is being done. What it does ends with it.
#[derive(Debug, Default)]
pub(crate) struct Doctor {
    standing: watch::Sender<Standing>,
    doing: Background,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Look at everything.
    Examine,
    /// Put right what is of one class, everywhere or in one queue; then look again.
    Repair { class: Class, queue: Option<String> },
}

/// How it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// What is being done, and since when.
    pub(crate) doing: Option<(Work, Timestamp)>,
    /// What the last look found.
    pub(crate) diagnosis: Option<Arc<Diagnosis>>,
    /// What the last repair did.
    pub(crate) repaired: Option<(Class, Option<String>, Repaired)>,
    /// Why the last work ended early.
    pub(crate) failure: Option<String>,
}

impl Doctor {
    /// Begins, unless something is being done.
    pub(crate) fn begin(&self, inspector: Inspector, work: Work, now: Timestamp) -> Result<(), Problem> {
        let is_free = self.standing.send_if_modified(|standing| {
            let is_free = standing.doing.is_none();
            if is_free {
                standing.doing = Some((work.clone(), now));
                standing.failure = None;
            }
            is_free
        });
        if !is_free {
            return Err(Problem::new("too_many", "the doctor is at work: wait until that has ended"));
        }
        let standing = self.standing.clone();
        self.doing.spawn(async move {
            let result = done(&inspector, &work, &standing).await;
            standing.send_modify(|standing| {
                standing.doing = None;
                standing.failure = result.err().map(|error| format!("{error:?}"));
            });
        });
        Ok(())
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Waits until nothing is being done, but no longer than this.
    pub(crate) async fn wait(&self, limit: Duration) {
        let mut standing = self.standing.subscribe();
        let is_idle = standing.wait_for(|standing| standing.doing.is_none());
        // Whether it ended or not: who asked looks at how it stands.
        drop(tokio::time::timeout(limit, is_idle).await);
    }
}

async fn done(
    inspector: &Inspector,
    work: &Work,
    standing: &watch::Sender<Standing>,
) -> asynq_core::Result<()> {
    if let Work::Repair { class, queue } = work {
        let repair = queue.iter().fold(inspector.repair(*class), Repair::queue);
        let repaired = repair.await?;
        standing.send_modify(|standing| standing.repaired = Some((*class, queue.clone(), repaired)));
    }
    let diagnosis = Arc::new(inspector.examine().await?);
    standing.send_modify(|standing| standing.diagnosis = Some(diagnosis));
    Ok(())
}
