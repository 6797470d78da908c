//! [`Args`]: what `#[aggregator(…)]` says.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprLit, Ident, Lit, LitStr, Result, Token};

use crate::errors::Errors;
use crate::job::values::{length, path, text};
use crate::paths::CratePath;
use crate::suggest;

/// What `#[aggregator(…)]` says. What is wrong in it is reported and left out.
#[derive(Default)]
pub(super) struct Args {
    /// The queue that it is for.
    pub(super) queue: Option<LitStr>,
    /// Calls on `GroupSettings`: `.max_size(5usize)`.
    pub(super) setters: TokenStream,
    /// Where generated code finds the runtime.
    pub(super) krate: CratePath,
}

/// Options, and how each is used.
const OPTIONS: [(&str, &str); 6] = [
    ("grace", "grace = \"30s\""),
    ("max_delay", "max_delay = \"5m\""),
    ("max_size", "max_size = 100"),
    ("timeout", "timeout = \"10m\""),
    ("queue", "queue = \"mail\""),
    ("crate", "crate = ::my_crate::asynq"),
];

/// What people write for an option that has another name here, or that belongs elsewhere.
const ELSEWHERE: [(&[&str], &str); 4] = [
    (&["grace_period", "group_grace_period", "quiet"], "it is called `grace` here: write `grace = \"30s\"`"),
    (
        &["size", "batch_size", "batch", "limit", "group_max_size"],
        "it is called `max_size` here: write `max_size = 100`",
    ),
    (&["delay", "max_wait", "group_max_delay"], "it is called `max_delay` here: write `max_delay = \"5m\"`"),
    (
        &["retry", "retention", "name", "group", "unique_for", "expires_in", "job"],
        "it is an option of a job: write it on the `#[job]` that the aggregator takes or returns",
    ),
];

/// The most tasks that are ever made into one.
const LARGEST: usize = 10_000;

impl Args {
    /// Reads all options, noting every mistake.
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut given = Vec::new();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if !input.peek(Ident::peek_any) {
                    return Err(input.error("expected an option, such as `grace = \"30s\"`"));
                }
                let name = Ident::parse_any(input)?;
                let value = match input.parse::<Option<Token![=]>>()? {
                    Some(_) => input.parse::<Expr>().ok(),
                    None => None,
                };
                if let Err(error) = args.option(&name, value, &mut given) {
                    errors.push(error);
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = Parser::parse2(read, tokens) {
            errors.push(error);
        }
        args
    }

    /// Takes one option.
    fn option(&mut self, name: &Ident, value: Option<Expr>, given: &mut Vec<&'static str>) -> Result<()> {
        let (known, example) = find(name)?;
        let Some(mut value) = value else {
            return Err(Error::new(name.span(), format!("`{known}` needs a value: write `{example}`")));
        };
        // A value that a `macro_rules!` macro passed on comes in an invisible group.
        while let Expr::Group(group) = value {
            value = *group.expr;
        }
        if given.contains(&known) {
            return Err(Error::new(name.span(), format!("`{known}` is given twice")));
        }
        given.push(known);
        match known {
            "max_size" => self.set(known, size(&value)?),
            "queue" => self.queue = Some(text(&value, "queue")?),
            "crate" => self.krate = path(&value)?,
            _ => self.set(known, length(&value)?),
        }
        Ok(())
    }

    /// Notes a setting.
    fn set(&mut self, method: &str, value: impl ToTokens) {
        let method = format_ident!("{method}");
        self.setters.extend(quote!(.#method(#value)));
    }
}

fn find(name: &Ident) -> Result<(&'static str, &'static str)> {
    let written = name.unraw().to_string();
    if let Some(known) = OPTIONS.iter().find(|(known, _)| *known == written) {
        return Ok(*known);
    }
    if let Some((_, message)) = ELSEWHERE.iter().find(|(names, _)| names.contains(&written.as_str())) {
        let message = format!("`{written}` is not an option of `#[aggregator]`: {message}");
        return Err(Error::new(name.span(), message));
    }
    let names = OPTIONS.map(|(known, _)| known);
    let meant = suggest::nearest(&written, names)
        .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    let known = names.join("`, `");
    Err(Error::new(
        name.span(),
        format!("unknown `#[aggregator]` option `{written}`{meant} (known: `{known}`)"),
    ))
}

/// A number of tasks.
fn size(value: &Expr) -> Result<usize> {
    let message = format!("the size of a group is a number from 1 to {LARGEST}, such as `max_size = 100`");
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number
            .base10_parse::<usize>()
            .ok()
            .filter(|size| (1..=LARGEST).contains(size))
            .ok_or_else(|| Error::new(number.span(), message)),
        _ => Err(Error::new_spanned(value, message)),
    }
}
