//! [`Args`]: what `#[job(…)]` says.
//!
//! An option is one row of [`OPTIONS`]: its name, an example for messages, and the function that reads its value.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprLit, Ident, Lit, LitInt, LitStr, Result, Token, UnOp};

use super::failure;
use super::rate::{self, Rate};
use super::schedule::Schedule;
use crate::errors::Errors;
use crate::paths::CratePath;
use crate::{duration, suggest};

/// What `#[job(…)]` says. What is wrong in it is reported and left out.
#[derive(Default)]
pub(super) struct Args {
    /// The task type; the name of the function unless given.
    pub(super) name: Option<LitStr>,
    /// Calls on `JobOptions` that set the job's defaults: `.retry(5u32)`.
    pub(super) setters: TokenStream,
    /// How many of them a worker runs at a time.
    pub(super) concurrency: Option<LitInt>,
    /// How many of them all workers together run in a period.
    pub(super) rate: Option<Rate>,
    /// The middleware around the handler.
    pub(super) layer: Option<Expr>,
    /// When the job is enqueued by itself.
    pub(super) schedule: Schedule,
    /// When a failed one is tried again, as an expression.
    pub(super) backoff: Option<TokenStream>,
    /// What becomes of a cancelled one, as an expression.
    pub(super) on_cancel: Option<TokenStream>,
    /// Where generated code finds the runtime.
    pub(super) krate: CratePath,
}

/// An option of `#[job]`.
struct Known {
    name: &'static str,
    /// How it is used, for messages.
    example: &'static str,
    /// Reads its value, which follows the `=`.
    read: fn(&mut Args, &Expr) -> Result<()>,
}

const OPTIONS: &[Known] = &[
    Known {
        name: "name",
        example: r#"name = "email:send""#,
        read: |args, value| text(value, "task type").map(|name| args.name = Some(name)),
    },
    Known {
        name: "queue",
        example: r#"queue = "critical""#,
        read: |args, value| text(value, "queue").map(|name| args.set("queue", name)),
    },
    Known {
        name: "retry",
        example: "retry = 5",
        read: |args, value| times(value).map(|times| args.set("retry", times)),
    },
    Known {
        name: "timeout",
        example: r#"timeout = "30s""#,
        read: |args, value| length(value).map(|limit| args.set("timeout", limit)),
    },
    Known {
        name: "expires_in",
        example: r#"expires_in = "1h""#,
        read: |args, value| length(value).map(|limit| args.set("expires_in", limit)),
    },
    Known {
        name: "unique_for",
        example: r#"unique_for = "10m""#,
        read: |args, value| length(value).map(|ttl| args.set("unique_for", ttl)),
    },
    Known {
        name: "retention",
        example: r#"retention = "1d""#,
        read: |args, value| length(value).map(|keep| args.set("retention", keep)),
    },
    Known {
        name: "group",
        example: r#"group = "digest""#,
        read: |args, value| text(value, "group").map(|name| args.set("group", name)),
    },
    Known {
        name: "cron",
        example: r#"cron = "0 9 * * mon-fri""#,
        read: |args, value| args.schedule.cron(value),
    },
    Known { name: "every", example: r#"every = "10m""#, read: |args, value| args.schedule.every(value) },
    Known {
        name: "timezone",
        example: r#"timezone = "Europe/Rome""#,
        read: |args, value| args.schedule.time_zone(value),
    },
    Known {
        name: "concurrency",
        example: "concurrency = 4",
        read: |args, value| slots(value).map(|slots| args.concurrency = Some(slots)),
    },
    Known {
        name: "rate",
        example: r#"rate = "100/s""#,
        read: |args, value| rate::read(value).map(|rate| args.rate = Some(rate)),
    },
    Known {
        name: "layer",
        example: "layer = my_layer()",
        read: |args, value| layer(value).map(|layer| args.layer = Some(layer)),
    },
    Known {
        name: "backoff",
        example: r#"backoff = exponential("2s", max = "10m")"#,
        read: |args, value| failure::backoff(value).map(|policy| args.backoff = Some(policy)),
    },
    Known {
        name: "on_cancel",
        example: "on_cancel = archive",
        read: |args, value| failure::on_cancel(value).map(|fate| args.on_cancel = Some(fate)),
    },
    Known {
        name: "crate",
        example: "crate = ::my_crate::asynq",
        read: |args, value| path(value).map(|path| args.krate = path),
    },
];

/// What may be given more than once.
const REPEATABLE: [&str; 1] = ["cron"];

/// What people write for an option that has another name here, or that is no option of a job, and what to say.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["deadline"],
        "a deadline is an instant, so it belongs to one task: write `.deadline(t)` when enqueuing, or \
         `expires_in = \"1h\"` here for one that counts from then",
    ),
    (
        &["max_retry", "max_retries", "retries", "max_attempts", "attempts"],
        "it is called `retry` here: write `retry = 5`",
    ),
    (
        &["unique", "unique_ttl", "unique_until"],
        "it is called `unique_for` here: write `unique_for = \"10m\"`",
    ),
    (
        &["max_concurrency", "limit", "max_running", "workers"],
        "it is called `concurrency` here: write `concurrency = 4`",
    ),
    (
        &["rate_limit", "throttle", "limit_rate", "max_rate"],
        "it is called `rate` here: write `rate = \"100/s\"`",
    ),
    (
        &["layers", "middleware", "middlewares", "wrap"],
        "it is called `layer` here: write `layer = my_layer()`, or a tuple for several, the outermost first",
    ),
    (
        &["retry_policy", "retry_delay", "delay_policy", "retry_backoff", "wait"],
        "it is called `backoff` here: write `backoff = exponential(\"2s\", max = \"10m\")`",
    ),
    (&["cancel", "cancelled", "on_cancelled"], "it is called `on_cancel` here: write `on_cancel = archive`"),
    (&["expires", "expire", "ttl"], "it is called `expires_in` here: write `expires_in = \"1h\"`"),
    (&["task_type", "type", "rename", "pattern"], "it is called `name` here: write `name = \"email:send\"`"),
    (&["tz", "time_zone", "zone"], "it is called `timezone` here: write `timezone = \"Europe/Rome\"`"),
    (
        &["schedule", "periodic"],
        "it is called `cron` here: write `cron = \"0 9 * * mon-fri\"`, or `every = \"10m\"`",
    ),
    (
        &["task_id", "id"],
        "an ID belongs to one task: write `.task_id(id)` when enqueuing, or `unique_for = \"10m\"` here to keep \
         equal tasks from being enqueued twice",
    ),
    (
        &["process_in", "process_at", "delay", "at"],
        "when to start belongs to one task: write `.process_in(delay)` or `.process_at(t)` when enqueuing",
    ),
];

impl Args {
    /// Reads all options, noting every mistake.
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut given = Vec::new();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = args.option(input, &mut given) {
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
        args
    }

    /// Reads one option.
    fn option(&mut self, input: ParseStream<'_>, given: &mut Vec<&'static str>) -> Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(not_an_option(input));
        }
        let name = Ident::parse_any(input)?;
        let known = find(&name)?;
        let value = value(&name, known, input)?;
        if given.contains(&known.name) && !REPEATABLE.contains(&known.name) {
            return Err(Error::new(name.span(), format!("`{}` is given twice", known.name)));
        }
        given.push(known.name);
        (known.read)(self, &value)
    }

    /// Notes a default option.
    fn set(&mut self, method: &str, value: impl ToTokens) {
        let method = format_ident!("{method}");
        self.setters.extend(quote!(.#method(#value)));
    }
}

fn find(name: &Ident) -> Result<&'static Known> {
    let written = name.unraw().to_string();
    if let Some(known) = OPTIONS.iter().find(|known| known.name == written) {
        return Ok(known);
    }
    if let Some((_, message)) = ELSEWHERE.iter().find(|(names, _)| names.contains(&written.as_str())) {
        return Err(Error::new(name.span(), format!("`{written}` is not an option of `#[job]`: {message}")));
    }
    let names: Vec<_> = OPTIONS.iter().map(|known| known.name).collect();
    let meant = suggest::nearest(&written, names.iter().copied())
        .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    let known = names.join("`, `");
    Err(Error::new(name.span(), format!("unknown `#[job]` option `{written}`{meant} (known: `{known}`)")))
}

/// What follows the name of an option.
fn value(name: &Ident, known: &Known, input: ParseStream<'_>) -> Result<Expr> {
    let written = match input.parse::<Option<Token![=]>>()? {
        Some(_) => input.parse().ok(),
        None => None,
    };
    // In syn's own words it would be an error at the end of the attribute.
    let missing = || format!("`{}` needs a value: write `{}`", known.name, known.example);
    let mut value: Expr = written.ok_or_else(|| Error::new(name.span(), missing()))?;
    // A value that a `macro_rules!` macro passed on comes in an invisible group.
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    Ok(value)
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

/// A string literal that is not blank; `what` it names.
pub(crate) fn text(value: &Expr, what: &str) -> Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().trim().is_empty() => {
            Err(Error::new(text.span(), format!("a {what} name must not be blank")))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        _ => {
            let word = match value {
                Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
                _ => None,
            };
            // In capitals it is a constant, whose value only its author knows.
            let word = word.filter(|word| word.contains(char::is_lowercase));
            let example =
                word.map_or_else(|| ", such as \"email\"".to_owned(), |word| format!("; write \"{word}\""));
            Err(Error::new_spanned(value, format!("a {what} name is a string literal{example}")))
        }
    }
}

/// A number of retries.
fn times(value: &Expr) -> Result<u32> {
    const RANGE: &str = "the number of retries is from 0 (never) to 2147483647";
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse::<i32>() {
            Ok(times) => Ok(times.unsigned_abs()),
            Err(_) => Err(Error::new(number.span(), RANGE)),
        },
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().parse::<u32>().is_ok() => {
            let message = format!("the number of retries is not a string; write `retry = {}`", text.value());
            Err(Error::new(text.span(), message))
        }
        Expr::Unary(negative) if matches!(negative.op, UnOp::Neg(_)) => Err(Error::new_spanned(value, RANGE)),
        Expr::Path(path) if path.path.is_ident("never") => Ok(0),
        _ => Err(Error::new_spanned(
            value,
            "the number of retries is a literal, such as `retry = 5`, or `never`",
        )),
    }
}

/// How many run at a time.
fn slots(value: &Expr) -> Result<LitInt> {
    const RANGE: &str = "the number of runs at a time is from 1 to 1000000; leave `concurrency` out for as many as the \
                         worker has slots";
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse::<u32>() {
            Ok(slots @ 1..=1_000_000) => Ok(LitInt::new(&format!("{slots}usize"), number.span())),
            _ => Err(Error::new(number.span(), RANGE)),
        },
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().parse::<u32>().is_ok() => {
            let message = format!(
                "the number of runs at a time is not a string; write `concurrency = {}`",
                text.value()
            );
            Err(Error::new(text.span(), message))
        }
        Expr::Unary(negative) if matches!(negative.op, UnOp::Neg(_)) => Err(Error::new_spanned(value, RANGE)),
        _ => Err(Error::new_spanned(
            value,
            "the number of runs at a time is a literal, such as `concurrency = 4`; one that is only known when the \
             worker starts is set there, by `.type_concurrency(name, n)`",
        )),
    }
}

/// A middleware, as an expression.
fn layer(value: &Expr) -> Result<Expr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.parse::<Expr>().is_ok() => {
            let message = format!("`layer` takes a value, not a string; write `layer = {}`", text.value());
            Err(Error::new(text.span(), message))
        }
        Expr::Lit(lit) => Err(Error::new_spanned(
            lit,
            "`layer` takes a tower layer, such as `layer = my_layer()`; a number of runs at a time is set by \
             `concurrency = 4`, and a time limit by `timeout = \"30s\"`",
        )),
        _ => Ok(value.clone()),
    }
}

/// A duration, as an expression.
pub(crate) fn length(value: &Expr) -> Result<TokenStream> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let seconds =
                duration::seconds(&text.value()).map_err(|message| Error::new(text.span(), message))?;
            Ok(quote!(::core::time::Duration::from_secs(#seconds)))
        }
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Err(Error::new(number.span(), unquoted(number))),
        _ => Err(Error::new_spanned(value, "a duration is a string literal, such as \"30s\" or \"1h30m\"")),
    }
}

fn unquoted(number: &LitInt) -> String {
    if number.suffix().is_empty() {
        return format!("duration `{number}` has no unit; write \"{number}s\"");
    }
    format!("a duration is a string; write \"{number}\"")
}

/// The path of a crate.
pub(crate) fn path(value: &Expr) -> Result<CratePath> {
    match value {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => {
            CratePath::new(path.path.clone()).map_err(|message| Error::new_spanned(value, message))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.parse::<syn::Path>().is_ok() => {
            Err(Error::new(
                text.span(),
                format!("`crate` takes a path, not a string; write `crate = {}`", text.value()),
            ))
        }
        _ => Err(Error::new_spanned(value, "`crate` takes a path, such as `crate = ::my_crate::asynq`")),
    }
}
