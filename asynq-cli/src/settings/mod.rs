//! Where Redis is and how to log in there: [`Settings`] gathers it from the command line, the environment and the
//! [`ConfigFile`].

mod file;
mod settings;

pub(crate) use file::{ConfigFile, default_file};
pub(crate) use settings::{ConnectionArguments, Settings, shown, web_address, web_badge, web_link};
