//! [`Args`]: what `#[job(…)]` says.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprPath, Ident, LitInt, LitStr, Path, Result, Token, Type, parenthesized, token};

use super::argument::Field;
use super::case::Case;
use super::encoding::Encoding;
use super::options::{self, Read};
use super::rate::Rate;
use super::schedule::Schedule;
use super::unique::Unique;
use crate::errors::Errors;
use crate::paths::CratePath;
use crate::suggest;

/// What `#[job(…)]` says. What is wrong in it is reported and left out.
#[derive(Default)]
pub(super) struct Args {
    /// The task type; the name of the function unless given.
    pub(super) name: Option<LitStr>,
    /// Other task types that it runs.
    pub(super) aliases: Vec<LitStr>,
    /// The name of the struct; that of the function in camel case unless given.
    pub(super) structure: Option<Ident>,
    /// How the names of fields are written in the payload.
    pub(super) rename_all: Option<Case>,
    /// Whether the payload is the encoding of the only argument.
    pub(super) transparent: Option<Ident>,
    /// How the payload is encoded, and its earlier forms.
    pub(super) encoding: Encoding,
    /// Whether the function blocks its thread.
    pub(super) blocking: Option<Ident>,
    /// Whether the job runs only where it is named.
    pub(super) unregistered: bool,
    /// The job that is defined elsewhere, which this is the handler of.
    pub(super) handles: Option<Type>,
    /// What a job that is only a contract says of its result.
    pub(super) output: Option<Type>,
    /// The names of the options that are given.
    given: Vec<Ident>,
    /// The options that the job shares with others, as a constant.
    pub(super) defaults: Option<ExprPath>,
    /// Calls on `JobOptions` that set the job's defaults: `.retry(5u32)`.
    pub(super) setters: TokenStream,
    /// How many of them a worker runs at a time.
    pub(super) concurrency: Option<LitInt>,
    /// How many of them all workers together run in a period.
    pub(super) rate: Option<Rate>,
    /// The middleware around the handler.
    pub(super) layer: Option<Expr>,
    /// What the struct derives beside serde's traits.
    pub(super) derives: Vec<Path>,
    /// What tells its tasks apart, and until when.
    pub(super) unique: Unique,
    /// When the job is enqueued by itself.
    pub(super) schedule: Schedule,
    /// When a failed one is tried again, as an expression.
    pub(super) backoff: Option<TokenStream>,
    /// What becomes of a cancelled one, as an expression.
    pub(super) on_cancel: Option<TokenStream>,
    /// Where generated code finds the runtime.
    pub(super) krate: CratePath,
}

/// What belongs to the handler of a job, where it is written apart from the job; the rest but `crate` belongs to the job.
const OF_HANDLER: [&str; 13] = [
    "backoff",
    "on_cancel",
    "aliases",
    "concurrency",
    "rate",
    "layer",
    "cron",
    "every",
    "timezone",
    "blocking",
    "unregistered",
    "for",
    "crate",
];

/// What makes sense only where the macro makes the struct, and only where it does not.
const OF_STRUCT: [&str; 4] = ["struct", "rename_all", "transparent", "derive"];

impl Args {
    /// Reads all options, noting every mistake.
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = args.option(input) {
                    errors.push(error);
                    skip_option(input)?;
                } else if !input.is_empty() && !input.peek(Token![,]) {
                    errors.push(input.error("write a comma between two options"));
                    // Where the next option stands, it is read; anything else belongs to the broken one.
                    if input.peek(Ident::peek_any) {
                        continue;
                    }
                    skip_option(input)?;
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        if let Err(error) = Parser::parse2(read, tokens) {
            errors.push(error);
        }
        args.schedule.check(errors);
        args.encoding.check(errors);
        // Whether those say for how long, the compiler finds out.
        if args.defaults.is_none() {
            args.unique.check_time(errors);
        }
        args
    }

    /// Reads one option.
    fn option(&mut self, input: ParseStream<'_>) -> Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(not_an_option(input));
        }
        let name = Ident::parse_any(input)?;
        let known = options::find(&name, input).inspect_err(|_| {
            // Or the function, which is then not async, would be the next mistake.
            if suggest::nearest(&name.unraw().to_string(), ["blocking"]).is_some() {
                self.blocking = Some(name.clone());
            }
        })?;
        let twice =
            self.given.iter().any(|given| given == known.name) && !options::REPEATABLE.contains(&known.name);
        self.given.push(name.clone());
        match known.read {
            _ if twice => Err(Error::new(name.span(), format!("`{}` is given twice", known.name))),
            Read::Value(read) => read(self, &known.value(&name, input)?),
            Read::OfType(read) => {
                read(self, known.type_of(&name, input)?);
                Ok(())
            }
            Read::List(read) => {
                let list;
                let missing = known.needs(&name);
                if !input.peek(token::Paren) {
                    return Err(missing);
                }
                parenthesized!(list in input);
                if list.is_empty() {
                    return Err(missing);
                }
                let read = read(self, &list);
                // What is left after a mistake would be another one.
                list.parse::<TokenStream>()?;
                read
            }
            Read::Flag(read) if input.is_empty() || input.peek(Token![,]) => {
                read(self, &name);
                Ok(())
            }
            Read::Flag(_) => Err(known.needs(&name)),
        }
    }

    /// Refuses what belongs elsewhere, in `#[job]` on a function.
    pub(super) fn check_function(&self, errors: &mut Errors) {
        for name in &self.given {
            let text = name.unraw().to_string();
            if text == "output" {
                errors.at(name, "the function says what it returns: `output` is for `#[derive(Job)]`");
            } else if self.handles.is_some() && !OF_HANDLER.contains(&text.as_str()) {
                let message = if OF_STRUCT.contains(&text.as_str()) {
                    format!(
                        "`{text}` says how the struct is made, which `for` says is there already: leave it out"
                    )
                } else {
                    format!(
                        "`{text}` belongs to the job, for those who enqueue it: write it beside its `#[derive(Job)]`"
                    )
                };
                errors.at(name, message);
            }
        }
    }

    /// Refuses what belongs elsewhere, in `#[job]` on an `impl`.
    pub(super) fn check_method(&self, errors: &mut Errors) {
        for name in &self.given {
            let text = name.unraw().to_string();
            if text == "for" {
                errors.at(name, "the `impl` says what it is for: leave `for` out");
            } else if text == "output" {
                errors.at(name, "the function says what it returns: `output` is for `#[derive(Job)]`");
            } else if OF_STRUCT.contains(&text.as_str()) {
                errors.at(name, in_the_struct(&text));
            }
        }
    }

    /// Refuses what belongs elsewhere, beside `#[derive(Job)]`.
    pub(super) fn check_contract(&self, errors: &mut Errors) {
        for name in &self.given {
            let text = name.unraw().to_string();
            if text != "crate" && OF_HANDLER.contains(&text.as_str()) {
                let message = format!(
                    "`{text}` belongs to the handler: write it in the `#[job(for = …)]` on the function"
                );
                errors.at(name, message);
            } else if OF_STRUCT.contains(&text.as_str()) {
                errors.at(name, in_the_struct(&text));
            }
        }
    }

    /// Where an option is given.
    pub(super) fn given(&self, name: &str) -> Option<&Ident> {
        self.given.iter().find(|given| *given == name)
    }

    /// The argument that is the payload, as the job's codec encodes it.
    pub(super) fn encoded<'a>(&self, fields: &'a [Field]) -> Option<&'a Field> {
        self.encoding.argument(self.transparent.as_ref(), fields)
    }

    /// Notes a default option.
    pub(super) fn set(&mut self, method: &str, value: impl ToTokens) {
        let method = format_ident!("{method}");
        self.setters.extend(quote!(.#method(#value)));
    }
}

/// What to say of an option that says how a struct is made, where it is made already.
fn in_the_struct(option: &str) -> String {
    format!("the struct is written already: instead of `{option}` change it, or its serde attributes")
}

/// The error at something that is not the name of an option.
fn not_an_option(input: ParseStream<'_>) -> Error {
    if !input.peek(LitStr) {
        return input.error("expected an option, such as `queue = \"critical\"`");
    }
    match input.parse::<LitStr>() {
        Ok(text) => {
            let message = format!("options have names; for the task type write `name = {:?}`", text.value());
            Error::new(text.span(), message)
        }
        Err(error) => error,
    }
}

/// Goes on to the comma after a broken option.
fn skip_option(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
