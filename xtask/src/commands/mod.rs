//! One file for each command.

mod bench;
mod budget;
mod ci;
mod cli_docs;
mod command;
mod compile_time;
mod reliability;
mod screens;
mod soak;
mod test;
mod tidy;
mod vectors;
mod web_load;

pub(crate) use bench::BENCH;
pub(crate) use budget::BUDGET;
pub(crate) use ci::CI;
pub(crate) use cli_docs::CLI_DOCS;
pub(crate) use command::Command;
pub(crate) use compile_time::COMPILE_TIME;
pub(crate) use reliability::RELIABILITY;
pub(crate) use screens::SCREENS;
pub(crate) use soak::SOAK;
pub(crate) use test::TEST;
pub(crate) use tidy::TIDY;
pub(crate) use vectors::VECTORS;
pub(crate) use web_load::WEB_LOAD;
