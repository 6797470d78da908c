//! [`Warning`]: what one must know at this moment, told by what pages read anyway: no task is looked at.

use std::collections::BTreeSet;

use asynq_core::inspector::{Class, QueueInfo, ScheduledEntry, ServerStatus, Severity, StoreInfo};
use jiff::{SignedDuration, Timestamp};

use crate::links::Link;
use crate::pages::visible_servers;
use crate::problem::Problem;
use crate::rights::Right;
use crate::schedules::entries;
use crate::visit::Visit;

/// Clocks may differ by so much.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// Something that one must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// What programs tell warnings apart by; where the doctor knows the same, the name of its class.
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) about: About,
    pub(crate) text: String,
}

/// What it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Queue(String),
    /// By ID and type.
    Schedule(String, String),
    /// By ID and host.
    Server(String, String),
    Store,
}

impl About {
    /// Its kind, and its name or ID.
    pub(crate) fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Queue(name) => ("queue", name),
            Self::Schedule(id, _) => ("schedule", id),
            Self::Server(id, _) => ("server", id),
            Self::Store => ("redis", ""),
        }
    }

    /// What people call it, and where it is shown.
    pub(crate) fn label_and_link(&self, visit: &Visit) -> (String, Link) {
        let link = visit.link();
        match self {
            Self::Queue(name) => (name.clone(), link.to("queues").to(name)),
            Self::Schedule(id, task_type) => (task_type.clone(), link.to("schedules").to(id)),
            Self::Server(_, host) => (host.clone(), link.to("servers")),
            Self::Store => ("Redis".to_owned(), link.to("redis")),
        }
    }
}

/// All that is to be told, the worst first.
pub(crate) async fn warnings(visit: &Visit) -> Result<Vec<Warning>, Problem> {
    let inspector = visit.inspector_of_all(Right::View)?;
    let now = visit.now();
    let servers = visible_servers(visit).await?;
    let served: BTreeSet<&str> =
        servers.iter().flat_map(|server| server.queues.keys().map(String::as_str)).collect();
    let mut warnings = Vec::new();
    for queue in inspector.counts_of(&visit.queues(Right::View).await?).await? {
        of_queue(&queue, served.contains(queue.queue.as_str()), &mut warnings);
    }
    for server in &servers {
        of_server(server, now, &mut warnings);
    }
    for entry in &entries(visit).await? {
        of_schedule(entry, now, &mut warnings);
    }
    if !visit.rights().are_limited() {
        let skew = inspector.store_time().await?.duration_since(visit.now());
        warnings.extend(of_store(&inspector.store_info().await?, skew, now));
    }
    warnings.sort_by_key(|warning| std::cmp::Reverse(warning.severity));
    Ok(warnings)
}

fn of_queue(queue: &QueueInfo, is_served: bool, warnings: &mut Vec<Warning>) {
    let mut tell = |code, severity, text| {
        let about = About::Queue(queue.queue.to_string());
        warnings.push(Warning { code, severity, about, text });
    };
    let pending = queue.pending;
    if pending > 0 && queue.is_paused() {
        tell("paused", Severity::Warning, format!("{} waiting: the queue is paused.", tasks(pending)));
    } else if pending > 0 && !is_served {
        let class = Class::Unserved;
        tell(
            class.as_str(),
            class.severity(),
            format!("{} waiting: no server takes from the queue.", tasks(pending)),
        );
    }
    if queue.orphaned > 0 {
        let text = format!(
            "{} lost their worker while they ran; a server on the queue takes them over.",
            tasks(queue.orphaned)
        );
        tell(Class::Orphaned.as_str(), Severity::Warning, text);
    }
    if queue.is_archive_full() {
        let text = format!(
            "The archive holds {}: servers keep 9,999 unless told otherwise, and delete the oldest.",
            tasks(queue.archived)
        );
        tell(Class::FullArchive.as_str(), Class::FullArchive.severity(), text);
    }
}

fn of_server(server: &ServerStatus, now: Timestamp, warnings: &mut Vec<Warning>) {
    let overdue = server.running.iter().filter(|task| task.is_overdue(now)).count();
    if overdue > 0 {
        let about = About::Server(server.id.clone(), server.host.clone());
        let text =
            format!("{} past the time to end: handlers that do not heed cancellation.", tasks(overdue));
        warnings.push(Warning { code: "overdue", severity: Severity::Warning, about, text });
    }
}

fn of_schedule(entry: &ScheduledEntry, now: Timestamp, warnings: &mut Vec<Warning>) {
    if let Some(next) = entry.next.filter(|_| entry.is_late(now)) {
        let about = About::Schedule(entry.id.clone(), entry.task_type.to_string());
        let text = format!("It should have fired at {next}.");
        warnings.push(Warning { code: "late", severity: Severity::Error, about, text });
    }
}

/// What is to be told of a store, and of its clock, which differs from ours by `skew`.
pub(crate) fn of_store(info: &StoreInfo, skew: SignedDuration, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut tell = |class: Class, text: String| {
        let (code, severity) = (class.as_str(), class.severity());
        warnings.push(Warning { code, severity, about: About::Store, text });
    };
    if let Some(policy) = info.evicts() {
        let text = format!(
            "Its maxmemory-policy is {policy}: when memory runs out it throws tasks away. Set it to noeviction."
        );
        tell(Class::Evicting, text);
    }
    if let Some(reason) = info.forgets(now) {
        tell(Class::Unsaved, format!("What it holds would be lost if it ended: {reason}."));
    }
    if info.is_old() {
        tell(Class::OldRedis, Class::OldRedis.explanation().to_owned());
    }
    if skew.abs() > SKEW {
        let text = format!(
            "Its clock differs from this machine's by {} seconds: times on these pages are wrong by that much.",
            skew.as_secs()
        );
        tell(Class::ClockSkew, text);
    }
    warnings
}

fn tasks(count: usize) -> String {
    if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") }
}
