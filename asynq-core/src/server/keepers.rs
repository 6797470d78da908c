//! [`Keepers`]: where the loops run that must not stand still.
//!
//! A handler that blocks its thread stops everything else on it. If beats and lease extensions stopped with it, others
//! would take this server for dead and run its tasks again. So these loops have a thread, a runtime and a connection
//! of their own; only a broker that lives in this process is kept on the caller's runtime, whose time may be virtual.

use std::future::Future;
use std::thread::JoinHandle;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};

/// The running keepers. Dropping them ends them where they are, as a crash would.
#[derive(Debug)]
pub(super) struct Keepers {
    /// Asks them to end in good order.
    stop: CancellationToken,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Here(JoinSet<()>),
    Thread { thread: Option<JoinHandle<()>>, abandon: CancellationToken, ended: CancellationToken },
}

impl Keepers {
    /// Starts them, on a thread of their own or on the caller's runtime.
    pub(super) fn start<Keep>(keep: impl FnOnce(CancellationToken) -> Keep, on_thread: bool) -> Result<Self>
    where
        Keep: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let loops = keep(stop.clone());
        if !on_thread {
            let mut here = JoinSet::new();
            here.spawn(loops);
            return Ok(Self { stop, place: Place::Here(here) });
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let (abandon, ended) = (CancellationToken::new(), CancellationToken::new());
        let (abandoned, has_ended) = (abandon.clone(), ended.clone().drop_guard());
        let thread = std::thread::Builder::new()
            .name("asynq-keeper".to_owned())
            .spawn(move || {
                let _guard = has_ended;
                runtime.block_on(abandoned.run_until_cancelled_owned(loops));
            })
            .map_err(Error::Thread)?;
        Ok(Self { stop, place: Place::Thread { thread: Some(thread), abandon, ended } })
    }

    /// Lets them end in good order, and waits for it.
    pub(super) async fn stop(&mut self) {
        self.stop.cancel();
        match &mut self.place {
            Place::Here(loops) => while loops.join_next().await.is_some() {},
            Place::Thread { thread, ended, .. } => {
                ended.cancelled().await;
                // It has nothing left to do but to return.
                if let Some(thread) = thread.take()
                    && thread.join().is_err()
                {
                    tracing::error!("the keeper thread panicked");
                }
            }
        }
    }
}

impl Drop for Keepers {
    fn drop(&mut self) {
        if let Place::Thread { abandon, .. } = &self.place {
            abandon.cancel();
        }
    }
}
