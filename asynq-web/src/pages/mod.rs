//! The pages, one file for each thing that they are about. They are whole without scripts.
//!
//! `layout.rs` is what all have around them, `parts.rs` the pieces that they are made of.

mod acting;
mod audit;
mod chart;
mod charts;
mod columns;
mod content;
mod days;
mod doctor;
mod editing;
mod errors;
mod forms;
mod groups;
mod instances;
mod layout;
mod listing;
mod login;
mod managing;
mod parts;
mod past;
mod problem;
mod prometheus;
mod queue_changes;
mod queue_groups;
mod queues;
mod redis_info;
mod runs;
mod schedules;
mod servers;
mod settings;
mod task;
mod timeline;
mod views;

pub(crate) use acting::{act, confirm};
pub(crate) use audit::{audit, noted};
pub(crate) use charts::charts;
pub(crate) use columns::Column;
pub(crate) use doctor::{begin_repair, confirm_repair, doctor, examine, repair, visible as visible_findings};
pub(crate) use editing::{edit, enqueue, new_task, save};
pub(crate) use errors::errors;
pub(crate) use instances::{Standing, instances, standing};
pub(crate) use layout::without_slash;
pub(crate) use listing::{queue, tasks};
pub(crate) use login::{log_in, log_out, login, to_login};
pub(crate) use managing::{
    confirm_delete_schedule, create_schedule, delete_schedule, edit_schedule, new_schedule, pause_schedule,
    resume_schedule, save_schedule,
};
pub(crate) use parts::count;
pub(crate) use problem::{bare_problem, problem};
pub(crate) use prometheus::prometheus;
pub(crate) use queue_changes::{confirm_delete, delete, pause, resume};
pub(crate) use queues::{infos, queues};
pub(crate) use redis_info::redis;
pub(crate) use runs::{run, runs, stop_run};
pub(crate) use schedules::{run_schedule, schedule, schedules};
pub(crate) use servers::{servers, visible_servers};
pub(crate) use settings::{set, set_columns, settings};
pub(crate) use task::{opened, payload, result, task};
pub(crate) use views::{delete_view, rename_view, save_view};
