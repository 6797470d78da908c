//! `#[job]`, in the order of the work: what the attribute says ([`args`], by the table of [`options`]), what it stands on ([`item`], or an `impl`,
//! [`methods`]), whether that can be a job ([`check`]: of its [`signature`] and each [`argument`]), how often it may run ([`rate`]), what becomes of it when it fails
//! ([`failure`]), what makes its tasks equal ([`unique`]), when it is enqueued by itself ([`schedule`]), how its payload
//! is written ([`encoding`]) and described ([`schema`]), and what it becomes ([`mod@expand`]).

mod args;
pub(crate) mod argument;
mod case;
mod check;
mod contract;
mod derives;
mod elsewhere;
mod encoding;
mod expand;
mod failure;
pub(crate) mod item;
mod methods;
mod options;
mod payload;
mod rate;
mod schedule;
mod schema;
mod signature;
pub(crate) mod types;
mod unique;
pub(crate) mod values;

use proc_macro2::TokenStream;

pub(crate) use self::contract::expand_derive;

use self::args::Args;
use self::item::Item;
use crate::errors::report;

/// Expands one use. Whatever is wrong, the user's function comes out as it went in.
pub(crate) fn expand(args: TokenStream, tokens: TokenStream) -> TokenStream {
    report(|errors| {
        let args = Args::parse(args, errors);
        if let Some(block) = methods::parse(&tokens) {
            return methods::expand_methods(&args, block, tokens, errors);
        }
        args.check_function(errors);
        let item = match Item::parse(tokens.clone()) {
            Ok(item) => item,
            Err(error) => {
                errors.push(error);
                return tokens;
            }
        };
        let job = check::check(&item, &args, errors);
        // Where the codec is given the argument itself, all of that was refused.
        if let Some(job) = job.as_ref().filter(|job| args.encoded(&job.fields).is_none()) {
            args.schedule.check_arguments(&job.fields, errors);
            // Something may be wrong with the very argument that is named, or the list belongs elsewhere.
            if job.call.is_some() && args.handles.is_none() {
                args.unique.check_names(&job.fields, errors);
            }
        }
        expand::expand(&args, &item, job.as_ref())
    })
}
