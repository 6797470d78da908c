//! [`Follower`]: makes the entries of a scheduler those that are stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Revision, StoredSchedule};
use crate::background::Backoff;
use crate::broker::BrokerError;
use crate::client::Client;
use crate::scheduler::entry::Entry;
use crate::scheduler::hooks::Hooks;
use crate::scheduler::scheduler::{Entries, Registered};
use crate::scheduler::ticker::{End, Ticker};
use crate::scheduler::{CatchUp, EntryId};

/// From one look to the next: as often as workers look whether a queue is paused.
const LOOK: Duration = Duration::from_secs(1);

/// After this time all is read, changed or not: somebody may have written by hand, and counted no change.
const WHOLE_LOOK: Duration = Duration::from_secs(30);

/// Makes the entries of a scheduler those that are stored.
#[derive(Debug)]
pub(in crate::scheduler) struct Follower {
    client: Client,
    catch_up: CatchUp,
    entries: Entries,
    /// How often the stored ones had been changed when they were read last.
    seen: Option<u64>,
    /// What was made of each, by name.
    known: BTreeMap<String, Revision>,
}

impl Follower {
    pub(in crate::scheduler) fn new(client: Client, catch_up: CatchUp, entries: Entries) -> Self {
        Self { client, catch_up, entries, seen: None, known: BTreeMap::new() }
    }

    /// Reads what is stored if it was changed, or anyway if `whole`, and makes the entries the same. `begin` starts the
    /// ticker of one, where tickers run.
    pub(in crate::scheduler) async fn look(
        &mut self,
        whole: bool,
        mut begin: impl FnMut(&Arc<Entry>) -> Option<End>,
    ) -> Result<(), BrokerError> {
        let seen = self.seen.filter(|_| !whole);
        let Some(table) = self.client.broker().timetable(seen).await? else { return Ok(()) };
        let names: BTreeSet<&String> = table.rows.iter().map(|(name, _)| name).collect();
        let gone: Vec<String> = self.known.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in gone {
            self.known.remove(&name);
            self.end(&name);
            tracing::info!(schedule = name, "a stored schedule is gone");
        }
        for (name, text) in &table.rows {
            let revision = Revision::of(text);
            if self.known.get(name) != Some(&revision) {
                self.end(name);
                self.known.insert(name.clone(), revision);
                self.take(name, text, &mut begin);
            }
        }
        self.seen = Some(table.changes);
        Ok(())
    }

    /// Registers one, unless it is paused or wrong: that is told once, and disturbs no other.
    fn take(&self, name: &str, text: &Bytes, begin: &mut impl FnMut(&Arc<Entry>) -> Option<End>) {
        let payloads = self.client.stores_payloads();
        let prepared = match StoredSchedule::decode(name, text) {
            Ok(schedule) if schedule.paused_since().is_some() => {
                tracing::info!(schedule = name, "a stored schedule is paused");
                return;
            }
            Ok(schedule) => schedule.prepare(payloads).map_err(|error| error.to_string()),
            Err(reason) => Err(reason),
        };
        match prepared {
            Ok(prepared) => {
                tracing::info!(schedule = name, spec = prepared.spec, "a stored schedule is taken up");
                let entry = Arc::new(Entry::new(prepared, self.catch_up, payloads));
                let end = begin(&entry);
                self.entries.lock().insert(entry.id.clone(), Registered { entry, end });
            }
            Err(reason) => tracing::warn!(schedule = name, reason, "a stored schedule is left out"),
        }
    }

    /// Ends its ticker, if there is one; its history stays.
    fn end(&self, name: &str) {
        if let Some(Registered { end: Some(end), .. }) = self.entries.lock().remove(&EntryId::stored(name)) {
            end.token.cancel();
        }
    }
}

/// Follows what is stored until told to stop, and ends when its tickers have.
pub(in crate::scheduler) async fn follow(
    follower: Arc<Mutex<Follower>>,
    hooks: Hooks,
    stop: CancellationToken,
) {
    let mut follower = follower.lock().await;
    let client = follower.client.clone();
    let mut tickers = JoinSet::new();
    let mut backoff = Backoff::new("stored schedules");
    let mut read_all_at: Option<Instant> = None;
    loop {
        while tickers.try_join_next().is_some() {}
        let whole = read_all_at.is_none_or(|at| at.elapsed() >= WHOLE_LOOK);
        let begin = |entry: &Arc<Entry>| {
            let end = End::child_of(&stop);
            let (client, entry, hooks) = (client.clone(), Arc::clone(entry), hooks.clone());
            tickers.spawn(Ticker { client, entry, hooks, end: end.clone() }.run());
            Some(end)
        };
        let wait = match follower.look(whole, begin).await {
            Ok(()) => {
                backoff.worked();
                if whole {
                    read_all_at = Some(Instant::now());
                }
                LOOK
            }
            Err(error) => backoff.failed(&error),
        };
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            break;
        }
    }
    while tickers.join_next().await.is_some() {}
}
