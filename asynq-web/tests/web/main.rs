//! The Web UI as browsers and programs meet it: requests in, answers out. What needs a real browser is in `tests/browser`.

mod actions;
mod api;
mod asynqmon;
mod cluster;
mod codes;
mod doctor;
mod gate;
mod live;
mod load;
mod outage;
mod pages;
mod rights;
mod site;
