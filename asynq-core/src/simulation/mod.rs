//! Deterministic simulation: whole servers and a producer on one store, with a network between them that loses, delays
//! and cuts, machines that crash, freeze and have wrong clocks, all in virtual time and by one seed.
//!
//! One seed is one run, down to the order of every event: what fails is reported with its seed and its history, and
//! fails again with them. Nothing of the servers is replaced but the way to the store ([`DistantBroker`]).

mod audit;
mod distant;
mod history;
mod link;
mod machine;
mod producer;
mod run;
#[cfg(test)]
mod tests;

use audit::audit;
use distant::DistantBroker;
use history::{Event, History};
use link::Link;
use machine::Machine;
use producer::produce;
use run::{Report, run};
