//! Schedulers in virtual time: days pass in milliseconds.

mod catching_up;
mod manager;
mod replicas;
mod scheduler;
mod stored;
mod world;
