//! [`Pace`]: nobody asks more often than a browser with many pages does, nor searches as much as they like.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::caller::{Caller, network_of};
use crate::login::Buckets;
use crate::problem::Problem;

/// How many requests a second one visitor may make, unless told otherwise.
pub(crate) const REQUESTS: u32 = 50;

/// As many seconds' worth at once.
const BURST: f64 = 10.0;

/// As many searches go on at one time: each looks at thousands of tasks.
const SEARCHES: usize = 8;

/// How long a search waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often may be asked.
#[derive(Debug)]
pub(crate) struct Pace {
    /// By name, or by address of those who have none. `None` where there is no limit.
    requests: Option<Arc<Buckets<Who>>>,
    searches: Semaphore,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Name(Arc<str>),
    Address(IpAddr),
}

impl Pace {
    /// At most so many requests a second of each; any number if that is 0.
    pub(crate) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        let requests = (per_second > 0.0).then(|| Arc::new(Buckets::new(per_second * BURST, per_second)));
        Self { requests, searches: Semaphore::new(SEARCHES) }
    }

    /// The same for another store: requests are counted together, but nobody waits for searches in a store that is away.
    pub(crate) fn of_another(&self) -> Self {
        Self { requests: self.requests.clone(), searches: Semaphore::new(SEARCHES) }
    }

    /// Refuses a request of somebody who asks too often. Of whom neither name nor address is known nothing is known: an
    /// application that hides both looks at it itself.
    pub(crate) fn check(&self, name: &str, caller: &Caller) -> Result<(), Problem> {
        let who = match caller.address {
            _ if !name.is_empty() => Who::Name(name.into()),
            Some(address) => Who::Address(network_of(address)),
            None => return Ok(()),
        };
        let Some(requests) = &self.requests else { return Ok(()) };
        requests.take(who).map_err(|wait| {
            Problem::new("too_many_requests", "you ask too often: wait a moment").retry_after(wait)
        })
    }

    /// Waits for the turn of a search.
    pub(crate) async fn search(&self) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(Ok(permit)) = timeout(PATIENCE, self.searches.acquire()).await {
            return Ok(permit);
        }
        let reason = format!("{SEARCHES} searches are going on: try it again in a while");
        Err(Problem::new("too_many", reason).retry_after(PATIENCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_counted_by_name_or_by_address() {
        let pace = Pace::new(2);
        let from = |text: &str| Caller { address: text.parse().ok(), ..Caller::default() };
        let most =
            |name: &str, caller: &Caller| (0..100).filter(|_| pace.check(name, caller).is_ok()).count();
        assert_eq!(most("ann", &from("192.0.2.7")), 20);
        assert_eq!(most("ann", &from("192.0.2.8")), 0, "wherever she is");
        assert_eq!(most("", &from("192.0.2.7")), 20);
        assert_eq!(most("", &from("2001:db8::1")), 20);
        assert_eq!(most("", &from("2001:db8::2")), 0, "the same household");
        assert_eq!(most("", &Caller::default()), 100);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(most("ann", &from("192.0.2.7")), 2);
        let refused = pace.check("ann", &Caller::default()).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.retry_after.is_some()), (429, true));
        let free = Pace::new(0);
        assert!((0..1_000).all(|_| free.check("ann", &Caller::default()).is_ok()));
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_searches_go_on_at_one_time() {
        let pace = Pace::new(0);
        let mut permits = Vec::new();
        for _ in 0..SEARCHES {
            permits.push(pace.search().await.unwrap());
        }
        assert_eq!(pace.search().await.unwrap_err().code, "too_many");
        permits.pop();
        permits.push(pace.search().await.unwrap());
    }
}
