//! What a machine must have beside Rust: the only place that names packages, and the only one that installs.
//!
//! A program that is found on `PATH` is used as it is. One that is missing is installed by `apt-get`, as root or
//! through `sudo -n`; where that is not possible, the error says what to install by hand.

use anyhow::{Context, Result, bail, ensure};

use crate::go;
use crate::places::find;
use crate::process::Process;

/// A program that chores need, and where it comes from.
pub(crate) struct Package {
    /// The program whose absence means that the package is missing.
    program: &'static str,
    /// The Debian package.
    debian: &'static str,
    /// What it is needed for.
    why: &'static str,
    /// The system service that Debian starts with the package. Tests start servers of their own, so it is
    /// stopped again.
    service: Option<&'static str>,
}

/// Redis.
pub(crate) const REDIS: Package = Package {
    program: "redis-server",
    debian: "redis-server",
    why: "tests and benchmarks start Redis servers of their own",
    service: Some("redis-server"),
};

/// Go.
pub(crate) const GO: Package = Package {
    program: "go",
    debian: "golang-go",
    why: "builds programs on the real Go asynq, to test and measure against (Go 1.24 or newer)",
    service: None,
};

/// Chromium.
pub(crate) const CHROMIUM: Package = Package {
    program: "chromium",
    debian: "chromium",
    why: "tests look at the pages of the Web UI in a real browser",
    service: None,
};

/// Node.js.
pub(crate) const NODE: Package = Package {
    program: "node",
    debian: "nodejs",
    why: "runs the tests of the Web UI in a browser",
    service: None,
};

/// Its package manager.
pub(crate) const NPM: Package = Package {
    program: "npm",
    debian: "npm",
    why: "fetches what drives the browser in tests (playwright-core, axe-core)",
    service: None,
};

/// Prometheus.
pub(crate) const PROMETHEUS: Package = Package {
    program: "prometheus",
    debian: "prometheus",
    why: "tests draw the charts of the Web UI from a real one",
    service: Some("prometheus"),
};

/// A terminal for tests.
pub(crate) const TMUX: Package = Package {
    program: "tmux",
    debian: "tmux",
    why: "tests run the dashboard in a real terminal",
    service: None,
};

/// Counts instructions.
pub(crate) const VALGRIND: Package = Package {
    program: "valgrind",
    debian: "valgrind",
    why: "counts the instructions and the allocations that a task costs",
    service: None,
};

/// Installs what is missing.
pub(crate) fn ensure(packages: &[&Package]) -> Result<()> {
    let missing: Vec<&Package> = packages.iter().copied().filter(|package| !package.is_present()).collect();
    if !missing.is_empty() {
        for package in &missing {
            eprintln!("`{}` is missing: {}", package.program, package.why);
        }
        install(&missing).with_context(|| by_hand(&missing))?;
    }
    if packages.iter().any(|package| package.program == GO.program) {
        let version = go::version()?;
        ensure!(
            version >= go::MINIMUM,
            "go is {version}, and {} is needed: install a newer one from https://go.dev/dl/",
            go::MINIMUM
        );
    }
    Ok(())
}

impl Package {
    fn is_present(&self) -> bool {
        if self.program == GO.program { go::program().is_some() } else { find(self.program).is_some() }
    }
}

fn install(missing: &[&Package]) -> Result<()> {
    ensure!(find("apt-get").is_some(), "there is no apt-get here");
    // A source that does not answer need not be the one we install from.
    if let Err(error) = apt_get(&["update"])?.run() {
        eprintln!("warning: {error:#}");
    }
    if missing.iter().any(|package| package.debian == GO.debian) {
        refuse_old_go()?;
    }
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(missing.iter().map(|package| package.debian));
    apt_get(&arguments)?.run()?;
    for service in missing.iter().filter_map(|package| package.service) {
        eprintln!("stopping the service {service} that came with the package: nothing here uses it");
        if let Err(error) = as_root("service")?.args([service, "stop"]).run() {
            eprintln!("it was not running: {error:#}");
        }
    }
    match missing.iter().find(|package| !package.is_present()) {
        Some(package) => bail!("`{}` is still missing after installing {}", package.program, package.debian),
        None => Ok(()),
    }
}

/// An older Go than we need is not installed in the first place.
fn refuse_old_go() -> Result<()> {
    let policy = Process::new("apt-cache").args(["policy", GO.debian]).env("LC_ALL", "C").read()?;
    let candidate = candidate(&policy).unwrap_or("none");
    let version = candidate.parse::<go::Version>();
    ensure!(
        version.as_ref().is_ok_and(|version| *version >= go::MINIMUM),
        "this system's {} is {candidate}, and {} is needed: install it from https://go.dev/dl/",
        GO.debian,
        go::MINIMUM
    );
    Ok(())
}

/// The version that `apt-cache policy` would install, without Debian's epoch.
fn candidate(policy: &str) -> Option<&str> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    Some(version.split_once(':').map_or(version, |(_, version)| version))
}

fn apt_get(arguments: &[&str]) -> Result<Process> {
    // A machine that has just started may be installing updates.
    let options = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];
    Ok(as_root("env")?.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(options).args(arguments))
}

fn as_root(program: &str) -> Result<Process> {
    let user = Process::new("id").arg("-u").read()?;
    if user.trim() == "0" {
        return Ok(Process::new(program));
    }
    ensure!(find("sudo").is_some(), "installing needs root, and there is no sudo");
    Ok(Process::new("sudo").args(["-n", program]))
}

fn by_hand(missing: &[&Package]) -> String {
    let list: Vec<String> = missing
        .iter()
        .map(|package| format!("`{}` (Debian package {})", package.program, package.debian))
        .collect();
    format!("install {} by hand and run this again", list.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_apt_would_install() {
        let policy = "golang-go:\n  Installed: (none)\n  Candidate: 2:1.24~2\n  Version table:\n";
        assert_eq!(candidate(policy), Some("1.24~2"));
        assert_eq!(candidate("  Candidate: 7.0.15-1\n"), Some("7.0.15-1"));
        assert_eq!(candidate("N: Unable to locate package\n"), None);
    }

    #[test]
    fn says_what_to_install() {
        assert_eq!(
            by_hand(&[&REDIS, &GO]),
            "install `redis-server` (Debian package redis-server) and `go` (Debian package golang-go) by hand \
             and run this again"
        );
    }
}
