//! [`Schedule`]: when a job is enqueued by itself: `cron`, `every` and `timezone`.

use asynq_cron::Spec;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, ExprLit, Lit, LitStr, Result};

use super::argument::Field;
use super::{payload, types};
use crate::duration;
use crate::errors::Errors;

/// When a job is enqueued by itself.
#[derive(Default)]
pub(super) struct Schedule {
    /// Go's specifications, at the places of what was written.
    specs: Vec<LitStr>,
    zone: Option<LitStr>,
}

impl Schedule {
    /// Takes `cron = "0 9 * * *"`.
    pub(super) fn cron(&mut self, value: &Expr) -> Result<()> {
        let spec =
            literal(value, "a schedule is a string literal, such as \"0 9 * * mon-fri\" or \"@daily\"")?;
        Spec::parse(&spec.value())
            .map_err(|reason| Error::new(spec.span(), format!("not a schedule: {reason}")))?;
        self.add(spec)
    }

    /// Takes `every = "10m"`.
    pub(super) fn every(&mut self, value: &Expr) -> Result<()> {
        let length =
            literal(value, "a duration is a string literal with a unit, such as \"10m\" or \"1h30m\"")?;
        let seconds =
            duration::seconds(&length.value()).map_err(|message| Error::new(length.span(), message))?;
        self.add(LitStr::new(&format!("@every {}", go_text(seconds)), length.span()))
    }

    /// Takes `timezone = "Europe/Rome"`. Whether there is such a zone only the machine that schedules knows.
    pub(super) fn time_zone(&mut self, value: &Expr) -> Result<()> {
        const EXAMPLE: &str = "a time zone is a string literal, such as \"Europe/Rome\" or \"UTC\"";
        let zone = literal(value, EXAMPLE)?;
        if zone.value().is_empty() || zone.value().contains(char::is_whitespace) {
            return Err(Error::new(zone.span(), EXAMPLE));
        }
        self.zone = Some(zone);
        Ok(())
    }

    fn add(&mut self, spec: LitStr) -> Result<()> {
        if self.specs.iter().any(|known| known.value() == spec.value()) {
            return Err(Error::new(spec.span(), format!("the schedule {:?} is given twice", spec.value())));
        }
        self.specs.push(spec);
        Ok(())
    }

    /// Checks what belongs together, once all options are read.
    pub(super) fn check(&self, errors: &mut Errors) {
        let Some(zone) = &self.zone else { return };
        let has_calendar = self.specs.iter().any(|spec| !spec.value().starts_with("@every "));
        if !has_calendar {
            errors.at(zone, "a time zone is that of a `cron` schedule, which this job does not have");
        }
        for spec in &self.specs {
            if Spec::parse(&spec.value()).is_ok_and(|spec| spec.zone.is_some()) {
                errors.at(
                    spec,
                    "this schedule has a time zone of its own; leave it out here, or `timezone` there",
                );
            }
        }
    }

    /// Notes that there must be no schedule, if there is one.
    pub(super) fn refuse(&self, message: &str, errors: &mut Errors) {
        if let Some(spec) = self.specs.first() {
            errors.at(spec, message);
        }
    }

    /// Checks that a scheduler can make the job: it has no arguments to give.
    pub(super) fn check_arguments(&self, fields: &[Field], errors: &mut Errors) {
        if self.specs.is_empty() {
            return;
        }
        for Field { name, ty, serde, .. } in fields {
            let given = payload::serde_names(serde);
            let is = |names: &[&str]| given.iter().any(|name| names.contains(&name.as_str()));
            let is_optional =
                types::argument_of(ty, "Option").is_some() && !is(&["with", "deserialize_with"]);
            if !is_optional && !is(&["default", "flatten", "skip", "skip_deserializing"]) {
                errors.at(
                    name,
                    format!(
                        "a job with a schedule is enqueued without arguments: write `#[serde(default)]` before `{name}`, \
                         or make it an `Option`"
                    ),
                );
            }
        }
    }

    /// The `JobSchedule`, if there is one.
    pub(super) fn expand(&self, job: &TokenStream) -> Option<TokenStream> {
        let Self { specs, zone } = self;
        if specs.is_empty() {
            return None;
        }
        let zone = zone.as_ref().map_or_else(
            || quote!(::core::option::Option::None),
            |zone| quote!(::core::option::Option::Some(#zone)),
        );
        Some(quote! {
            __asynq::JobSchedule {
                specs: &[#(#specs),*],
                time_zone: #zone,
                task: __asynq::periodic_task::<#job>,
            }
        })
    }
}

fn literal(value: &Expr, otherwise: &str) -> Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        _ => Err(Error::new_spanned(value, otherwise)),
    }
}

/// Seconds as Go writes them: `1h30m`; Go knows no days.
fn go_text(seconds: u64) -> String {
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let given = parts.iter().filter(|(number, _)| *number > 0);
    given.map(|(number, unit)| number.to_string() + unit).collect()
}

#[cfg(test)]
mod tests {
    use super::go_text;

    #[test]
    fn lengths_are_gos() {
        for (seconds, text) in
            [(1, "1s"), (600, "10m"), (5_400, "1h30m"), (86_400, "24h"), (90_061, "25h1m1s")]
        {
            assert_eq!(go_text(seconds), text);
        }
    }
}
