//! `#[job]`, in the order of the work: what the attribute says ([`args`]), what it stands on ([`item`]), whether
//! that can be a job ([`check`]), how often it may run ([`rate`]), what becomes of it when it fails
//! ([`failure`]), when it is enqueued by itself ([`schedule`]), and what
//! it becomes ([`mod@expand`]).

pub(crate) mod args;
pub(crate) mod check;
mod expand;
mod failure;
pub(crate) mod item;
mod rate;
mod schedule;
pub(crate) mod types;

use proc_macro2::TokenStream;

use self::args::Args;
use self::item::Item;
use crate::errors::report;

/// Expands one use. Whatever is wrong, the user's function comes out as it went in.
pub(crate) fn expand(args: TokenStream, tokens: TokenStream) -> TokenStream {
    report(|errors| {
        let args = Args::parse(args, errors);
        let item = match Item::parse(tokens.clone()) {
            Ok(item) => item,
            Err(error) => {
                errors.push(error);
                return tokens;
            }
        };
        let job = check::check(&item, errors);
        if let Some(job) = &job {
            args.schedule.check_arguments(&job.fields, errors);
        }
        expand::expand(&args, &item, job.as_ref())
    })
}
