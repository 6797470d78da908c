//! The Web UI as browsers and programs meet it: requests in, answers out. What needs a real browser is in `tests/browser`.

mod actions;
mod api;
mod asynqmon;
mod doctor;
mod gate;
mod live;
mod outage;
mod pages;
mod rights;
mod site;
