//! The Go programs of this repository: where they are, or built.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program: where `ASYNQ_` and its name say, or built here from this folder, once, whoever comes first.
pub(crate) fn built(source: &str, name: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "set by `cargo xtask test`")]
    if let Ok(program) = std::env::var(format!("ASYNQ_{}", name.to_uppercase())) {
        return PathBuf::from(program);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = root.join("target").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let program = folder.join(name);
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(root.join(source))
        .status()
        .expect("cannot run go; it is needed for the tests beside the real Go programs");
    assert!(built.success(), "go build of {source} failed");
    program
}
