//! Settings of a test's own, and servers to talk to.

use std::fs;
use std::path::Path;

use service::settings::Settings;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Settings whose files are in a folder of the test's own.
pub(crate) fn settings(data: &TempDir) -> Settings {
    Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        data: data.path().to_owned(),
        smtp: None,
        operator: "operator@example.com".to_owned(),
        webhook: None,
    }
}

/// The texts of all mails in the outbox.
pub(crate) fn outbox(data: &Path) -> Vec<String> {
    let Ok(folder) = fs::read_dir(data.join("outbox")) else { return Vec::new() };
    let mails =
        folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension() == Some("eml".as_ref()));
    mails.map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Serves these routes until the set is dropped; the URL.
pub(crate) async fn serve(app: axum::Router) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, server)
}
