//! `#[aggregator]`, in the order of the work: what the attribute says ([`args`]), whether the function can be an
//! aggregator ([`check`]), and what it becomes ([`mod@expand`]).

mod args;
mod check;
mod expand;

use proc_macro2::TokenStream;
use syn::Error;

use self::args::Args;
use crate::errors::report;
use crate::job::item::Item;

/// Expands one use. Whatever is wrong, the user's function comes out as it went in.
pub(crate) fn expand(args: TokenStream, tokens: TokenStream) -> TokenStream {
    report(|errors| {
        let args = Args::parse(args, errors);
        let item = match Item::parse(tokens.clone()) {
            Ok(item) => item,
            Err(error) => {
                let message =
                    "`#[aggregator]` goes on an `async fn` with a body, which takes the jobs of a group";
                errors.push(Error::new(error.span(), message));
                return tokens;
            }
        };
        let aggregator = check::check(&item, errors);
        expand::expand(&args, &item, aggregator.as_ref())
    })
}
