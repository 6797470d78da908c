//! The tests of the Web UI in a real browser: `asynq-web/tests/browser`.

use anyhow::{Context, Result};

use crate::packages::{self, CHROMIUM, NODE, NPM};
use crate::places;
use crate::process::{Process, cargo};

/// Fetches what drives the browser, builds the sample site, and runs the tests on it.
pub(crate) fn run_tests() -> Result<()> {
    packages::ensure(&[&CHROMIUM, &NODE, &NPM])?;
    let folder = places::root().join("asynq-web/tests/browser");
    Process::new("npm")
        .args(["ci", "--prefer-offline", "--no-audit", "--no-fund"])
        .directory(&folder)
        .run()?;
    cargo(["build", "--locked", "-p", "asynq-web", "--example", "sample"]).run()?;
    let sample = places::target().join("debug/examples/sample");
    let chromium = places::find("chromium").context("`chromium` is not on PATH")?;
    Process::new("node")
        .arg("--test")
        .directory(folder)
        .env("ASYNQ_WEB_SAMPLE", places::display(&sample))
        .env("ASYNQ_CHROMIUM", places::display(&chromium))
        .run()
}
