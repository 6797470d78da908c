//! [`Sink`]: where what is printed goes.

use std::io::{Write, stdout};
use std::sync::{Arc, Mutex, PoisonError};

use crate::failure::Failure;

/// Where what is printed goes; whole tables and documents at a time.
#[derive(Clone, Debug, Default)]
pub(crate) enum Sink {
    /// Data to stdout, remarks to stderr.
    #[default]
    Streams,
    /// Both onto a screen that is drawn as a whole.
    Screen(Arc<Mutex<Vec<u8>>>),
}

impl Sink {
    pub(crate) fn put(&self, data: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Streams => {
                let mut out = stdout().lock();
                out.write_all(data)?;
                out.flush()?;
            }
            Self::Screen(screen) => {
                screen.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(data);
            }
        }
        Ok(())
    }

    /// A remark for people, which is no data: nothing that is piped on sees it.
    pub(crate) fn note(&self, text: &str) {
        match self {
            Self::Streams => eprintln!("{text}"),
            Self::Screen(screen) => {
                let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
                screen.extend_from_slice(text.as_bytes());
                screen.push(b'\n');
            }
        }
    }
}
