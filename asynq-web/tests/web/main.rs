//! The Web UI as browsers and programs meet it: requests in, answers out. What needs a real browser is in `tests/browser`.

mod actions;
mod api;
mod audit;
mod charts;
mod errors;
mod gate;
mod live;
mod login;
mod masks;
mod matrix;
mod outage;
mod pages;
mod prometheus;
mod rights;
mod site;
