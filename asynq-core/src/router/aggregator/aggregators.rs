//! [`Aggregators`]: which aggregator takes which task.

use std::any::TypeId;
use std::sync::Arc;

use super::{Aggregator, DuplicateAggregator, registered_aggregators};
use crate::error::{Error, Result};
use crate::task::QueueName;

/// All aggregators of a server.
#[derive(Debug, Default)]
pub(crate) struct Aggregators(Vec<Arc<Aggregator>>);

impl Aggregators {
    pub(crate) fn add(&mut self, aggregator: Aggregator) {
        self.0.push(Arc::new(aggregator));
    }

    /// Adds those that `#[aggregator]` registered in this program.
    pub(crate) fn add_registered(&mut self) {
        self.0.extend(registered_aggregators().map(|one| Arc::new(Aggregator::registered(one))));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Which one takes tasks of this type in this queue: the one that says most about them.
    pub(crate) fn choose(&self, queue: &QueueName, task_type: &str) -> Option<&Arc<Aggregator>> {
        let takes = |aggregator: &&Arc<Aggregator>| {
            aggregator.job.is_none_or(|job| job == task_type)
                && aggregator.queue.as_deref().is_none_or(|name| name == queue.as_str())
        };
        self.0
            .iter()
            .filter(takes)
            .max_by_key(|aggregator| (aggregator.job.is_some(), aggregator.queue.is_some()))
    }

    /// The queues that are named by some of them.
    pub(crate) fn queues(&self) -> impl Iterator<Item = QueueName> {
        self.0.iter().filter_map(|aggregator| QueueName::new(aggregator.queue.as_ref()?).ok())
    }

    /// Refuses what would fail at the first group, or leave one waiting forever.
    pub(crate) fn check(
        &self,
        has_state: impl Fn(TypeId) -> bool,
        consumes: impl Fn(&str) -> bool,
    ) -> Result<()> {
        for (position, aggregator) in self.0.iter().enumerate() {
            let same =
                |other: &&Arc<Aggregator>| other.job == aggregator.job && other.queue == aggregator.queue;
            if let Some(other) = self.0.iter().skip(position + 1).find(same) {
                let mut places = [aggregator.place(), other.place()];
                places.sort();
                let [first, second] = places;
                let tasks = aggregator
                    .job
                    .map_or("the tasks of no job".to_owned(), |job| format!("the tasks of `{job}`"));
                let what = match &aggregator.queue {
                    Some(queue) => format!("{tasks} in queue `{queue}`"),
                    None => tasks,
                };
                return Err(DuplicateAggregator { what, first, second }.into());
            }
            if let Some(reason) = aggregator.settings.wrong() {
                let reason = format!("{reason} (aggregator {})", aggregator.place());
                return Err(Error::InvalidSetting { name: "aggregator", reason });
            }
            for requirement in aggregator.requires().iter().filter_map(|requires| requires()) {
                if !has_state(requirement.type_id) {
                    return Err(Error::MissingState {
                        job: aggregator.name.clone(),
                        place: aggregator.place(),
                        what: format!("State<{}>", requirement.type_name),
                        remedy: "give the server a value by `.state(value)`",
                    });
                }
            }
            if let Some(queue) = aggregator.queue.as_ref().filter(|queue| !consumes(queue)) {
                return Err(Error::UnconsumedQueue {
                    job: aggregator.name.clone(),
                    place: aggregator.place(),
                    queue: queue.clone(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Codec, CodecError, GroupSettings, Job, JobOptions};
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

    fn untyped() -> Aggregator {
        Aggregator::new(|_: String, _: Vec<Task>| async {})
    }

    fn typed() -> Aggregator {
        Aggregator::of(|_: String, jobs: Vec<Mail>| async move { jobs.into_iter().next() })
    }

    fn all(aggregators: impl IntoIterator<Item = Aggregator>) -> Aggregators {
        Aggregators(aggregators.into_iter().map(Arc::new).collect())
    }

    #[test]
    fn the_one_that_says_most_about_a_task_takes_it() {
        let aggregators = all([untyped(), typed(), typed().queue("low"), untyped().queue("low")]);
        let chosen = |queue: &str, task_type: &str| {
            let chosen = aggregators.choose(&QueueName::new(queue).unwrap(), task_type).unwrap();
            (chosen.job, chosen.queue.clone())
        };
        let low = Some("low".to_owned());
        assert_eq!(chosen("default", "mail"), (Some("mail"), None));
        assert_eq!(chosen("low", "mail"), (Some("mail"), low.clone()));
        assert_eq!(chosen("default", "mails"), (None, None));
        assert_eq!(chosen("low", "other"), (None, low));
        let queue = QueueName::default();
        assert!(all([typed()]).choose(&queue, "other").is_none());
    }

    #[test]
    fn what_cannot_work_is_refused_before_the_first_group() {
        let refused = |aggregators: Aggregators| {
            aggregators.check(|_| false, |queue| queue == "default").unwrap_err().to_string()
        };
        assert_eq!(
            refused(all([typed(), untyped(), typed()])),
            "two aggregators take the tasks of `mail`: of `mail` and of `mail`; keep one, or give each a `queue` of \
             its own"
        );
        assert!(
            refused(all([typed().queue("low")]))
                .contains("uses queue `low`, which this server does not consume")
        );
        let settings = GroupSettings::new().max_size(0);
        assert!(refused(all([typed().settings(settings)])).contains("`max_size` must be 1 or more"));
        let aggregators = all([typed(), untyped(), typed().queue("default")]);
        aggregators.check(|_| false, |queue| queue == "default").unwrap();
    }
}
