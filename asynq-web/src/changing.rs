//! [`Changing`]: what was begun is done, also when who asked for it is gone meanwhile.

use axum::body::Body;
use axum::http::Response;
use axum::response::IntoResponse as _;
use tokio::sync::oneshot;

use crate::background::Background;
use crate::problem::Problem;

/// The changes that are being made. A connection that breaks drops what waits for the answer; what was changed by then
/// would be noted nowhere.
#[derive(Debug, Default)]
pub(crate) struct Changing {
    tasks: Background,
}

impl Changing {
    /// Waits for those that are left.
    pub(crate) async fn finish(&self) {
        self.tasks.finish().await;
    }

    /// The answer, once it is there.
    pub(crate) async fn carry_out(
        &self,
        change: impl Future<Output = Response<Body>> + Send + 'static,
    ) -> Response<Body> {
        let (tell, told) = oneshot::channel();
        self.tasks.spawn(async move {
            // Nobody may be there to be told.
            drop(tell.send(change.await));
        });
        told.await.unwrap_or_else(|_| {
            Problem::new("failed", "this change broke off; look at what became of it").into_response()
        })
    }
}
