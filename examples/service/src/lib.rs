//! A small web service that leaves to jobs whatever a request should not wait for.
//!
//! [`web`] answers requests and enqueues; [`jobs`] are run by the worker; [`settings`] are read from the environment.
//! [`users`] and [`images`] are what both programs share, files in place of a database and an object store, and
//! [`mailer`] sends what there is to send.

pub mod images;
pub mod jobs;
pub mod mailer;
pub mod settings;
pub mod users;
pub mod web;
