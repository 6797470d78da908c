//! [`until_told`]: when a command is to end.

use tokio::signal::ctrl_c;

/// Until the process is told to end, by SIGTERM or Ctrl-C. Where signals cannot be listened for, never: then they end it at
/// once.
pub(crate) async fn until_told() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                Some(()) = terminated.recv() => return,
                Ok(()) = ctrl_c() => return,
                else => {}
            }
        }
    }
    #[cfg(not(unix))]
    if ctrl_c().await.is_ok() {
        return;
    }
    std::future::pending::<()>().await;
}
