//! [`Browser`]: the user's browser, where there is one.

use std::io;
use std::process::{Child, Command, Stdio};

/// What opens an address in the browser that the user has chosen.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else if cfg!(windows) {
    "explorer"
} else {
    "xdg-open"
};

/// The user's browser. Nobody waits for it: some openers live as long as the browser does.
#[derive(Debug, Default)]
pub(super) struct Browser {
    opening: Vec<(Child, String)>,
}

impl Browser {
    /// Opens an address; `false` where nobody would see it: on another machine, or without a screen.
    pub(super) fn open(&mut self, address: &str) -> io::Result<bool> {
        if !is_here() {
            return Ok(false);
        }
        let mut opener = Command::new(OPENER);
        opener.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // What the terminal sends to us is not meant for it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut opener, 0);
        self.opening.push((opener.spawn()?, address.to_owned()));
        Ok(true)
    }

    /// An address that could not be opened after all, as is seen only later.
    pub(super) fn failed(&mut self) -> Option<String> {
        let mut failed = None;
        self.opening.retain_mut(|(opener, address)| match opener.try_wait() {
            Ok(None) => true,
            // The explorer tells nothing by its exit code.
            Ok(Some(status)) if status.success() || cfg!(windows) => false,
            Ok(Some(_)) | Err(_) => {
                failed = Some(std::mem::take(address));
                false
            }
        });
        failed
    }
}

fn is_here() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_afar = is_set("SSH_CONNECTION") || is_set("SSH_TTY");
    let has_screen =
        cfg!(any(target_os = "macos", windows)) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    has_screen && !is_afar
}
