//! The tests of the Web UI in a real browser: `asynq-web/tests/browser`.

use anyhow::{Context, Result};

use crate::packages::{self, CHROMIUM, NODE, NPM, REDIS};
use crate::places;
use crate::process::{Process, cargo};

/// Runs the tests on the sample site.
pub(crate) fn run_tests() -> Result<()> {
    packages::ensure(&[&REDIS])?;
    node("--test")?.run()
}

/// Draws every page of the sample site.
pub(crate) fn write_screens() -> Result<()> {
    node("screens.mjs")?.arg(places::display(&places::root().join("docs/images/web"))).run()
}

/// Node.js beside what drives the browser, which is fetched, and with the sample site, which is built.
fn node(what: &str) -> Result<Process> {
    packages::ensure(&[&CHROMIUM, &NODE, &NPM])?;
    let folder = places::root().join("asynq-web/tests/browser");
    Process::new("npm")
        .args(["ci", "--prefer-offline", "--no-audit", "--no-fund"])
        .directory(&folder)
        .run()?;
    cargo(["build", "--locked", "-p", "asynq-web", "--example", "sample"]).run()?;
    let sample = places::target().join("debug/examples/sample");
    let chromium = places::find("chromium").context("`chromium` is not on PATH")?;
    Ok(Process::new("node")
        .arg(what)
        .directory(folder)
        .env("ASYNQ_WEB_SAMPLE", places::display(&sample))
        .env("ASYNQ_CHROMIUM", places::display(&chromium)))
}
