//! What can be wrong with the store as a whole, and with the processes that share it.

use super::Class;
use super::fault::Fault;
use super::rounds::Rounds;
use crate::error::Result;

/// How far clocks may differ, seconds.
const SKEW: i64 = 5;

impl Rounds<'_> {
    /// The keys that belong to no queue: whether the set of queues can be read.
    pub(super) async fn check_global_keys(&mut self) -> Result<bool> {
        let names = self.broker.keyspace().clone();
        let keys = [
            (names.queues(), "set"),
            (names.servers(), "zset"),
            (names.workers(), "zset"),
            (names.schedulers(), "zset"),
        ];
        let found = self.broker.key_kinds(&keys.clone().map(|(key, _)| key)).await?;
        let mut is_readable = true;
        for ((key, kind), found) in keys.into_iter().zip(found) {
            if found.kind != kind && found.kind != "none" {
                is_readable &= key != names.queues();
                self.found(Fault::Key { class: Class::WrongType, queue: None, key, kind: found.kind })
                    .await?;
            }
        }
        Ok(is_readable)
    }

    /// How the store is set up, and its clock.
    pub(super) async fn check_store(&mut self) -> Result<()> {
        let told = self.broker.store_info().await?;
        if let Some(policy) = told.evicts() {
            let detail = format!("maxmemory-policy is {policy}");
            self.found(Fault::Store { class: Class::Evicting, detail }).await?;
        }
        if let Some(detail) = told.forgets(self.broker.clock().now()) {
            self.found(Fault::Store { class: Class::Unsaved, detail }).await?;
        }
        if told.is_old() {
            let version = told.get("redis_version").map_or("", String::as_str);
            let detail = format!("Redis is version {version}");
            self.found(Fault::Store { class: Class::OldRedis, detail }).await?;
        }
        let before = self.broker.clock().now();
        let there = self.broker.time().await?;
        let after = self.broker.clock().now();
        // It was told at some moment between the two.
        let ahead = there.duration_since(after).as_secs().max(0);
        let behind = before.duration_since(there).as_secs().max(0);
        if ahead.max(behind) >= SKEW {
            let which = if ahead > behind { "ahead of" } else { "behind" };
            let detail = format!("the clock of Redis is {} s {which} the one here", ahead.max(behind));
            self.found(Fault::Store { class: Class::ClockSkew, detail }).await?;
        }
        Ok(())
    }

    /// Processes that died.
    pub(super) async fn check_processes(&mut self) -> Result<()> {
        for key in self.broker.dead_processes().await? {
            self.found(Fault::Process { key }).await?;
        }
        Ok(())
    }
}
