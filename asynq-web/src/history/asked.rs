//! What a visitor may see of the past: as with everything else, by naming a right.

use asynq_core::inspector::DailyStats;
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};

use super::samples::Scope;
use super::{Point, Runs, RunsOf, Span};
use crate::problem::Problem;
use crate::rights::Right;
use crate::visit::Visit;

/// Of so many queues the daily counters are added up.
const COUNTED: usize = 500;

/// How many queues are asked at one time.
const AT_A_TIME: usize = 32;

/// What was done on each of some days.
#[derive(Clone, Debug)]
pub(crate) struct DailySum {
    /// Today first.
    pub(crate) days: Vec<DailyStats>,
    /// Of how many queues it is the sum.
    pub(crate) counted: usize,
    /// How many there are.
    pub(crate) queues: usize,
}

impl Visit {
    /// How queues stood, and what they did: this one, or all that the visitor may see. Of a visitor who may not see all,
    /// only those are added up that are kept one by one.
    pub(crate) fn points(&self, queue: Option<&str>, span: Span) -> Result<Vec<Option<Point>>, Problem> {
        self.sees(queue)?;
        let fits = |queue: &str| self.may(Right::View, queue);
        let scope = match queue {
            Some(queue) => Scope::Queue(queue),
            None if self.rights().are_limited() => Scope::Those(&fits),
            None => Scope::All,
        };
        Ok(self.shared.history.series(&scope, span))
    }

    /// How long runs took, of this queue and type or of all.
    pub(crate) fn runs(
        &self,
        queue: Option<&str>,
        task_type: Option<&str>,
        span: Span,
    ) -> Result<Vec<Option<Runs>>, Problem> {
        self.sees(queue)?;
        Ok(self.shared.history.run_series(span, |of, kind| self.is_wanted(queue, of, task_type, kind)))
    }

    /// How long runs took in all of a span, by queue and type.
    pub(crate) fn run_table(
        &self,
        queue: Option<&str>,
        task_type: Option<&str>,
        span: Span,
    ) -> Result<Vec<RunsOf>, Problem> {
        self.sees(queue)?;
        Ok(self.shared.history.run_table(span, |of, kind| self.is_wanted(queue, of, task_type, kind)))
    }

    /// What was processed on each of the last days: in this queue, or in all that the visitor may see.
    pub(crate) async fn days(&self, queue: Option<&str>, days: usize) -> Result<DailySum, Problem> {
        if let Some(queue) = queue {
            let days = self.inspector(Right::View, queue)?.history(queue, days).await?;
            return Ok(DailySum { days, counted: 1, queues: 1 });
        }
        let inspector = self.inspector_of_all(Right::View)?;
        let mut names = self.queues(Right::View).await?;
        let queues = names.len();
        // Those that have most to do, if it is known which.
        names.sort_by_key(|name| !self.shared.history.tracks(name.as_str()));
        names.truncate(COUNTED);
        let counted = names.len();
        let asked = iter(names).map(async |name| match inspector.history(&name, days).await {
            Err(asynq_core::Error::QueueNotFound { .. }) => Ok(Vec::new()),
            days => days.map_err(Problem::from),
        });
        let mut all = asked.buffered(AT_A_TIME);
        let mut sum: Vec<DailyStats> = Vec::new();
        while let Some(days) = all.try_next().await? {
            if sum.is_empty() {
                sum = days;
                continue;
            }
            for (sum, day) in sum.iter_mut().zip(days) {
                sum.processed = sum.processed.saturating_add(day.processed);
                sum.failed = sum.failed.saturating_add(day.failed);
            }
        }
        Ok(DailySum { days: sum, counted, queues })
    }

    /// Who sees a chart looks at it.
    fn sees(&self, queue: Option<&str>) -> Result<(), Problem> {
        match queue {
            Some(queue) => self.inspector(Right::View, queue)?,
            None => self.inspector_of_all(Right::View)?,
        };
        self.shared.history.look(&self.shared.client);
        Ok(())
    }

    fn is_wanted(&self, queue: Option<&str>, of: &str, task_type: Option<&str>, kind: &str) -> bool {
        queue.is_none_or(|queue| queue == of)
            && task_type.is_none_or(|task_type| task_type == kind)
            && self.may(Right::View, of)
    }
}
