//! [`Images`]: pictures as they were uploaded, and the small ones made of them; a folder in place of an object store.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;
use uuid::Uuid;

/// All pictures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Images {
    folder: Arc<Path>,
}

impl Images {
    /// Those in this folder.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made.
    pub fn in_folder(data: &Path) -> io::Result<Self> {
        let folder = data.join("images");
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder: folder.into() })
    }

    /// Where the picture is as it was uploaded.
    pub fn original(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.original"))
    }

    /// Where the small one is, once it is made.
    pub fn small(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.small"))
    }

    /// Puts a file there all at once: nobody sees a half of it, and a job that runs twice does no harm.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }
}
