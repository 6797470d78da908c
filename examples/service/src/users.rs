//! [`Users`]: who has signed up; a file of one line for each, in place of a database.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

/// Somebody who has signed up.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct User {
    /// Their address, which names them.
    pub email: String,
    /// What they want to be called.
    pub name: String,
    /// When they signed up.
    pub since: Timestamp,
}

/// All who have signed up. Cheap to clone; only the web app adds to it.
#[derive(Clone, Debug)]
pub struct Users {
    file: Arc<Path>,
    writing: Arc<Mutex<()>>,
}

impl Users {
    /// Those in this folder.
    pub fn in_folder(data: &Path) -> Self {
        Self { file: data.join("users.jsonl").into(), writing: Arc::default() }
    }

    /// Adds a user; `false` if the address is known already.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub async fn add(&self, user: &User) -> io::Result<bool> {
        let _writing = self.writing.lock().await;
        if self.all().await?.iter().any(|known| known.email == user.email) {
            return Ok(false);
        }
        let line = format!("{}\n", serde_json::to_string(user)?);
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.file).await?;
        file.write_all(line.as_bytes()).await?;
        file.flush().await?;
        Ok(true)
    }

    /// Those who signed up in this time.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn since(&self, time: Range<Timestamp>) -> io::Result<Vec<User>> {
        let mut users = self.all().await?;
        users.retain(|user| time.contains(&user.since));
        Ok(users)
    }

    async fn all(&self) -> io::Result<Vec<User>> {
        match fs::read_to_string(&self.file).await {
            Ok(lines) => lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
