//! [`Cluster`]: masters that share the queues evenly.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::process::pause;
use crate::redis::Redis;

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// Masters without replicas.
pub(crate) struct Cluster {
    masters: Vec<Redis>,
}

impl Cluster {
    /// Starts so many, each with as many of these queues as the others, as an operator would spread them.
    pub(crate) fn start(masters: usize, queues: &[String]) -> Result<Self> {
        let settings = ["--cluster-enabled", "yes", "--cluster-require-full-coverage", "yes"];
        let mut all = (0..masters).map(|_| Redis::start(&settings)).collect::<Result<Vec<_>>>()?;
        let mut slots = Vec::new();
        let mut meet = Vec::new();
        for node in &all {
            let (host, port) = node.address().split_once(':').unwrap_or_default();
            meet.push([host.to_owned(), port.to_owned()]);
        }
        let mut ends = Vec::new();
        if let Some(first) = all.first_mut() {
            for queue in queues {
                slots.push(first.query::<u16>(&["CLUSTER", "KEYSLOT", queue])?);
            }
            slots.sort_unstable();
            ends = (1..masters).filter_map(|n| slots.get(n * slots.len() / masters).copied()).collect();
            for [host, port] in meet.iter().skip(1) {
                first.query::<()>(&["CLUSTER", "MEET", host, port])?;
            }
        }
        ends.push(SLOTS);
        let mut begin = 0;
        for (node, end) in all.iter_mut().zip(ends) {
            let (from, to) = (begin.to_string(), (end - 1).to_string());
            node.query::<()>(&["CLUSTER", "ADDSLOTSRANGE", &from, &to])?;
            begin = end;
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        for node in &mut all {
            while !node.query::<String>(&["CLUSTER", "INFO"])?.contains("cluster_state:ok") {
                ensure!(Instant::now() < deadline, "the cluster does not come up");
                pause(Duration::from_millis(20));
            }
        }
        Ok(Self { masters: all })
    }

    pub(crate) fn url(&self) -> String {
        let nodes: Vec<&str> = self.masters.iter().map(Redis::address).collect();
        format!("redis-cluster://{}", nodes.join(","))
    }

    /// Processor time of the thread that runs commands, of each.
    pub(crate) fn processor_seconds(&mut self) -> Result<Vec<f64>> {
        self.masters.iter_mut().map(Redis::processor_seconds).collect()
    }
}
