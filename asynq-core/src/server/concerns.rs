//! [`Concern`]: what a server says of its jobs at the start, for it is allowed and seldom meant. What would fail is refused
//! before, by [`Router::check`](crate::router::Router::check).

use std::time::Duration;

use crate::job::Length;
use crate::router::{Aggregators, Registration};
use crate::task::QueueName;

/// Something about a job that its author may not have meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Concern {
    #[error(
        "job `{name}`, {place}, collects its tasks in group `{group}`, and this server has no aggregator for them: they \
         wait for a server that has one"
    )]
    NobodyAggregates { name: &'static str, place: String, group: &'static str },
    #[error(
        "job `{name}`, {place}, has a schedule, and this server schedules nothing: its tasks are enqueued only where \
         another process does"
    )]
    NobodySchedules { name: &'static str, place: String },
    #[error(
        "job `{name}`, {place}, has {} for a run (`timeout`), and is past its deadline {} after it was enqueued \
         (`expires_in`)",
        Length(*.timeout),
        Length(*.expires_in)
    )]
    DeadlineFirst { name: &'static str, place: String, timeout: Duration, expires_in: Duration },
    #[error(
        "job `{name}`, {place}, keeps equal tasks out for {} (`unique_for`), and begins only after {} (`delay`): by then \
         another one may be there",
        Length(*.unique_for),
        Length(*.delay)
    )]
    LockEndsFirst { name: &'static str, place: String, unique_for: Duration, delay: Duration },
}

impl Concern {
    /// All about these jobs, where this is what aggregates them, and that says whether the server schedules.
    pub(super) fn all(
        jobs: &[&'static Registration],
        aggregators: &Aggregators,
        schedules: bool,
    ) -> Vec<Self> {
        let of = |job: &&'static Registration| {
            let (name, options) = (job.name, &job.options);
            let group = options.group.filter(|_| {
                QueueName::new(options.queue_name())
                    .is_ok_and(|queue| aggregators.choose(&queue, name).is_none())
            });
            let grouped = group.map(|group| Self::NobodyAggregates { name, place: job.place(), group });
            let scheduled = (job.schedule.is_some() && !schedules)
                .then(|| Self::NobodySchedules { name, place: job.place() });
            let late = options.timeout.zip(options.expires_in).filter(|(timeout, limit)| timeout > limit);
            let late = late.map(|(timeout, expires_in)| Self::DeadlineFirst {
                name,
                place: job.place(),
                timeout,
                expires_in,
            });
            let lock = options.unique_for.zip(options.delay).filter(|(lock, delay)| lock <= delay);
            let lock = lock.map(|(unique_for, delay)| Self::LockEndsFirst {
                name,
                place: job.place(),
                unique_for,
                delay,
            });
            [grouped, scheduled, late, lock].into_iter().flatten()
        };
        jobs.iter().flat_map(of).collect()
    }

    /// Tells of it.
    pub(super) fn log(&self) {
        if let Self::NobodySchedules { .. } = self {
            // Somebody turned it off.
            tracing::info!("{self}");
        } else {
            tracing::warn!("{self}");
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::job::{Codec, CodecError, Job, JobOptions, JobSchedule};
    use crate::router::{Aggregator, Ctx, HandlerResult, Outcome};
    use crate::task::Task;

    struct Mail;
    struct Nothing;

    impl Codec<Mail> for Nothing {
        fn encode(_: &Mail) -> Result<bytes::Bytes, CodecError> {
            Ok(bytes::Bytes::new())
        }

        fn decode(_: &[u8]) -> Result<Mail, CodecError> {
            Ok(Mail)
        }
    }

    impl Job for Mail {
        const NAME: &'static str = "mail";
        const OPTIONS: JobOptions = JobOptions::new();
        type Codec = Nothing;
        type Output = ();
    }

    fn run(_: Ctx) -> BoxFuture<'static, HandlerResult> {
        Box::pin(std::future::ready(Ok(Outcome::default())))
    }

    const PLAIN: Registration = Registration::of::<Mail>("Mail", "src/jobs.rs", 7, run);

    /// What is said of a job with these options, by a server without aggregators.
    fn said(job: &'static Registration, schedules: bool) -> Vec<String> {
        let concerns = Concern::all(&[job], &Aggregators::default(), schedules);
        concerns.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_is_said_of_what_is_well() {
        static WELL: Registration = Registration {
            options: JobOptions::new()
                .timeout(Duration::from_secs(60))
                .expires_in(Duration::from_secs(3_600))
                .unique_for(Duration::from_secs(120))
                .delay(Duration::from_secs(60)),
            ..PLAIN
        };
        assert!(said(&WELL, true).is_empty());
    }

    #[test]
    fn a_group_that_nobody_aggregates() {
        static GROUPED: Registration =
            Registration { options: JobOptions::new().group("digest").queue("mails"), ..PLAIN };
        assert_eq!(
            said(&GROUPED, true),
            [
                "job `mail`, Mail (src/jobs.rs:7), collects its tasks in group `digest`, and this server has no \
                 aggregator for them: they wait for a server that has one"
            ]
        );
        let mut aggregators = Aggregators::default();
        aggregators.add(Aggregator::new(|_: String, _: Vec<Task>| async {}));
        assert!(Concern::all(&[&GROUPED], &aggregators, true).is_empty());
    }

    #[test]
    fn a_schedule_that_this_server_leaves_to_others() {
        static SCHEDULED: Registration = PLAIN.schedule(JobSchedule {
            specs: &["@daily"],
            time_zone: None,
            task: || Ok(Task::new("mail", "")?),
        });
        assert!(said(&SCHEDULED, true).is_empty());
        assert_eq!(
            said(&SCHEDULED, false),
            [
                "job `mail`, Mail (src/jobs.rs:7), has a schedule, and this server schedules nothing: its tasks are \
                 enqueued only where another process does"
            ]
        );
    }

    #[test]
    fn lengths_of_time_that_do_not_fit_together() {
        static HASTY: Registration = Registration {
            options: JobOptions::new()
                .timeout(Duration::from_secs(3_600))
                .expires_in(Duration::from_secs(1_800))
                .unique_for(Duration::from_secs(60))
                .delay(Duration::from_secs(90)),
            ..PLAIN
        };
        assert_eq!(
            said(&HASTY, true),
            [
                "job `mail`, Mail (src/jobs.rs:7), has 1h for a run (`timeout`), and is past its deadline 30m after it \
                 was enqueued (`expires_in`)",
                "job `mail`, Mail (src/jobs.rs:7), keeps equal tasks out for 1m (`unique_for`), and begins only after \
                 1m30s (`delay`): by then another one may be there"
            ]
        );
    }
}
