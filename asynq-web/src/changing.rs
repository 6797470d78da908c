//! [`Changing`]: what was begun is done, also when who asked for it is gone meanwhile.

use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::Response;
use axum::response::IntoResponse as _;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::problem::Problem;

/// The changes that are being made. A connection that breaks drops what waits for the answer; what was changed by then
/// would be noted nowhere.
#[derive(Debug, Default)]
pub(crate) struct Changing {
    tasks: Mutex<JoinSet<()>>,
}

impl Changing {
    /// Waits for those that are left.
    pub(crate) async fn finish(&self) {
        let mut left = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while left.join_next().await.is_some() {}
    }

    /// The answer, once it is there.
    pub(crate) async fn carry_out(
        &self,
        change: impl Future<Output = Response<Body>> + Send + 'static,
    ) -> Response<Body> {
        let (tell, told) = oneshot::channel();
        {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                // Nobody may be there to be told.
                drop(tell.send(change.await));
            });
        }
        told.await.unwrap_or_else(|_| {
            Problem::new("failed", "this change broke off; look at what became of it").into_response()
        })
    }
}
