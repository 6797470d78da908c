//! [`worker`]: a server with all that the jobs need.

use anyhow::Result;
use asynq::ServerBuilder;

use crate::images::Images;
use crate::mailer::Mailer;
use crate::settings::Settings;
use crate::users::Users;

/// Sets up a server to run all jobs of this crate; a test's [rig](asynq::testing::Rig) too.
///
/// # Errors
///
/// When the settings are wrong, or a folder cannot be made.
pub fn worker(server: ServerBuilder, settings: &Settings) -> Result<ServerBuilder> {
    // A redirect would be followed as a GET without the event.
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    Ok(server
        .registered()
        .state(Mailer::new(settings)?)
        .state(Users::in_folder(&settings.data))
        .state(Images::in_folder(&settings.data)?)
        .state(http))
}
