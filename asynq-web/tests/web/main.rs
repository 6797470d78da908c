//! The Web UI as browsers and programs meet it: requests in, answers out. What needs a real browser is in `tests/browser`.

mod actions;
mod api;
mod asynqmon;
mod audit;
mod charts;
mod cluster;
mod codes;
mod doctor;
mod errors;
mod gate;
mod hidden;
mod instances;
mod live;
mod load;
mod login;
mod masks;
mod matrix;
mod outage;
mod pages;
mod prometheus;
mod rights;
mod schedules;
mod site;
mod task_page;
mod views;
