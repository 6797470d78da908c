//! [`Args`]: what `#[job(…)]` says.
//!
//! An option is one row of [`OPTIONS`]: its name, an example for messages, and how it is read: `name = value`,
//! `name = type`, `name(list)` or `name` alone. One that has several forms has a row for each.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprPath, Ident, LitInt, LitStr, Path, Result, Token, Type, parenthesized, token};

use super::case::{self, Case};
use super::check::Field;
use super::derives;
use super::encoding::Encoding;
use super::failure;
use super::rate::{self, Rate};
use super::schedule::Schedule;
use super::unique::Unique;
use super::values::{aliases, defaults, job_type, layer, length, path, slots, structure, text, times};
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

/// An option of `#[job]`.
struct Known {
    name: &'static str,
    /// How it is used, for messages.
    example: &'static str,
    read: Read,
}

/// What follows the name of an option, and what reads it.
enum Read {
    /// `name = value`.
    Value(fn(&mut Args, &Expr) -> Result<()>),
    /// `name = type`.
    OfType(fn(&mut Args, Type)),
    /// `name(…)`: what stands in the parentheses, which is something.
    List(fn(&mut Args, ParseStream<'_>) -> Result<()>),
    /// Nothing.
    Flag(fn(&mut Args, &Ident)),
}

use Read::{Flag, List, OfType, Value};

const OPTIONS: &[Known] = &[
    Known {
        name: "name",
        example: r#"name = "email:send""#,
        read: Value(|args, value| text(value, "task type").map(|name| args.name = Some(name))),
    },
    Known {
        name: "queue",
        example: r#"queue = "critical""#,
        read: Value(|args, value| text(value, "queue").map(|name| args.set("queue", name))),
    },
    Known {
        name: "retry",
        example: "retry = 5",
        read: Value(|args, value| times(value).map(|times| args.set("retry", times))),
    },
    Known {
        name: "timeout",
        example: r#"timeout = "30s""#,
        read: Value(|args, value| length(value).map(|limit| args.set("timeout", limit))),
    },
    Known {
        name: "expires_in",
        example: r#"expires_in = "1h""#,
        read: Value(|args, value| length(value).map(|limit| args.set("expires_in", limit))),
    },
    Known {
        name: "unique_for",
        example: r#"unique_for = "10m""#,
        read: Value(|args, value| {
            // Also where it is wrong: that is one mistake, and not two.
            args.unique.has_time = true;
            length(value).map(|ttl| args.set("unique_for", ttl))
        }),
    },
    Known {
        name: "unique_by",
        example: "unique_by(to, template)",
        read: List(|args, list| args.unique.by(list)),
    },
    Known {
        name: "unique_until",
        example: "unique_until = start",
        read: Value(|args, value| args.unique.until(value).map(|until| args.set("unique_until", until))),
    },
    Known {
        name: "retention",
        example: r#"retention = "1d""#,
        read: Value(|args, value| length(value).map(|keep| args.set("retention", keep))),
    },
    Known {
        name: "group",
        example: r#"group = "digest""#,
        read: Value(|args, value| text(value, "group").map(|name| args.set("group", name))),
    },
    Known {
        name: "cron",
        example: r#"cron = "0 9 * * mon-fri""#,
        read: Value(|args, value| args.schedule.cron(value)),
    },
    Known {
        name: "every",
        example: r#"every = "10m""#,
        read: Value(|args, value| args.schedule.every(value)),
    },
    Known {
        name: "timezone",
        example: r#"timezone = "Europe/Rome""#,
        read: Value(|args, value| args.schedule.time_zone(value)),
    },
    Known {
        name: "concurrency",
        example: "concurrency = 4",
        read: Value(|args, value| slots(value).map(|slots| args.concurrency = Some(slots))),
    },
    Known {
        name: "rate",
        example: r#"rate = "100/s""#,
        read: Value(|args, value| rate::read(value).map(|rate| args.rate = Some(rate))),
    },
    Known {
        name: "layer",
        example: "layer = my_layer()",
        read: Value(|args, value| layer(value).map(|layer| args.layer = Some(layer))),
    },
    Known {
        name: "backoff",
        example: r#"backoff = exponential("2s", max = "10m")"#,
        read: Value(|args, value| failure::backoff(value).map(|policy| args.backoff = Some(policy))),
    },
    Known {
        name: "on_cancel",
        example: "on_cancel = archive",
        read: Value(|args, value| failure::on_cancel(value).map(|fate| args.on_cancel = Some(fate))),
    },
    Known {
        name: "defaults",
        example: "defaults = MAIL",
        read: Value(|args, value| defaults(value).map(|shared| args.defaults = Some(shared))),
    },
    Known {
        name: "crate",
        example: "crate = ::my_crate::asynq",
        read: Value(|args, value| path(value).map(|path| args.krate = path)),
    },
    Known {
        name: "aliases",
        example: r#"aliases = ["mail:send"]"#,
        read: Value(|args, value| aliases(value).map(|names| args.aliases = names)),
    },
    Known {
        name: "delay",
        example: r#"delay = "30s""#,
        read: Value(|args, value| length(value).map(|delay| args.set("delay", delay))),
    },
    Known {
        name: "struct",
        example: r#"struct = "SendMail""#,
        read: Value(|args, value| structure(value).map(|name| args.structure = Some(name))),
    },
    Known {
        name: "rename_all",
        example: r#"rename_all = "camelCase""#,
        read: Value(|args, value| case::read(value).map(|case| args.rename_all = Some(case))),
    },
    Known {
        name: "transparent",
        example: "transparent",
        read: Flag(|args, name| args.transparent = Some(name.clone())),
    },
    Known {
        name: "codec",
        example: "codec = MsgPack",
        read: OfType(|args, ty| args.encoding.codec = Some(ty)),
    },
    Known {
        name: "version",
        example: "version = 2",
        read: Value(|args, value| args.encoding.version(value)),
    },
    Known {
        name: "from",
        example: "from = OldSendEmail",
        read: OfType(|args, ty| args.encoding.set_previous(ty)),
    },
    Known {
        name: "from",
        example: "from(1 = OldSendEmail)",
        read: List(|args, list| args.encoding.set_earlier(list)),
    },
    Known {
        name: "blocking",
        example: "blocking",
        read: Flag(|args, name| args.blocking = Some(name.clone())),
    },
    Known { name: "unregistered", example: "unregistered", read: Flag(|args, _| args.unregistered = true) },
    Known {
        name: "for",
        example: "for = my_jobs::SendEmail",
        read: Value(|args, value| job_type(value).map(|ty| args.handles = Some(ty))),
    },
    Known {
        name: "output",
        example: "output(Receipt)",
        read: List(|args, list| list.parse().map(|ty| args.output = Some(ty))),
    },
    Known {
        name: "derive",
        example: "derive(Debug, Clone)",
        read: List(|args, list| derives::read(list).map(|derives| args.derives = derives)),
    },
];

/// What may be given more than once.
const REPEATABLE: [&str; 1] = ["cron"];

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
    (&["unique", "unique_ttl"], "it is called `unique_for` here: write `unique_for = \"10m\"`"),
    (
        &["unique_key", "unique_args", "unique_fields"],
        "write `unique_by(to, template)` for the arguments that tell tasks apart, or `.unique_key(key)` when \
         enqueuing",
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
        &["process_at", "at"],
        "an instant belongs to one task: write `.process_at(t)` when enqueuing, or `delay = \"30s\"` here for a time \
         that counts from then",
    ),
    (&["process_in"], "it is called `delay` here: write `delay = \"30s\"`"),
    (
        &["prefix", "proto", "default", "shared", "inherit"],
        "what jobs have in common is a constant: write `defaults = MAIL`, with `const MAIL: JobOptions = …`",
    ),
    (&["struct_name"], "it is called `struct` here: write `struct = \"SendMail\"`"),
    (
        &["format", "encoding", "serializer", "content_type"],
        "it is called `codec` here: write `codec = MsgPack`",
    ),
    (
        &["upgrade", "migrate", "old", "was"],
        "it is called `from` here: write `from = OldSendEmail`, with `impl From<OldSendEmail> for SendEmail`",
    ),
    (&["alias"], "it is called `aliases` here: write `aliases = [\"mail:send\"]`"),
];

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
        let known = find(&name, input).inspect_err(|_| {
            // Or the function, which is then not async, would be the next mistake.
            if suggest::nearest(&name.unraw().to_string(), ["blocking"]).is_some() {
                self.blocking = Some(name.clone());
            }
        })?;
        let twice = self.given.iter().any(|given| given == known.name) && !REPEATABLE.contains(&known.name);
        self.given.push(name.clone());
        match known.read {
            _ if twice => Err(Error::new(name.span(), format!("`{}` is given twice", known.name))),
            Value(read) => read(self, &value(&name, known, input)?),
            OfType(read) => {
                read(self, type_of(&name, known, input)?);
                Ok(())
            }
            List(read) => {
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
            Flag(read) if input.is_empty() || input.peek(Token![,]) => {
                read(self, &name);
                Ok(())
            }
            Flag(_) => Err(known.needs(&name)),
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
    fn set(&mut self, method: &str, value: impl ToTokens) {
        let method = format_ident!("{method}");
        self.setters.extend(quote!(.#method(#value)));
    }
}

impl Known {
    /// Whether what follows its name looks as it should.
    fn is_at(&self, input: ParseStream<'_>) -> bool {
        match self.read {
            Value(_) | OfType(_) => input.peek(Token![=]),
            List(_) => input.peek(token::Paren),
            Flag(_) => input.is_empty() || input.peek(Token![,]),
        }
    }

    /// The error at one that is followed by something else.
    fn needs(&self, name: &Ident) -> Error {
        let needs = match self.read {
            Value(_) => "needs a value: write",
            OfType(_) => "needs a type: write",
            List(_) => "needs a list: write",
            Flag(_) => "has no value: write just",
        };
        Error::new(name.span(), format!("`{}` {needs} `{}`", self.name, self.example))
    }
}

/// What to say of an option that says how a struct is made, where it is made already.
fn in_the_struct(option: &str) -> String {
    format!("the struct is written already: instead of `{option}` change it, or its serde attributes")
}

/// The option of this name, in the form that follows it.
fn find(name: &Ident, input: ParseStream<'_>) -> Result<&'static Known> {
    let written = name.unraw().to_string();
    let mut forms = OPTIONS.iter().filter(|known| known.name == written);
    if let Some(first) = forms.next() {
        return Ok(std::iter::once(first).chain(forms).find(|form| form.is_at(input)).unwrap_or(first));
    }
    if let Some((_, message)) = ELSEWHERE.iter().find(|(names, _)| names.contains(&written.as_str())) {
        return Err(Error::new(name.span(), format!("`{written}` is not an option of `#[job]`: {message}")));
    }
    let mut names: Vec<_> = OPTIONS.iter().map(|known| known.name).collect();
    names.dedup();
    let hint = match suggest::nearest(&written, names.iter().copied()) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => format!(" (known: `{}`)", names.join("`, `")),
    };
    Err(Error::new(name.span(), format!("unknown `#[job]` option `{written}`{hint}")))
}

/// What follows the name of an option.
fn value(name: &Ident, known: &Known, input: ParseStream<'_>) -> Result<Expr> {
    let written = match input.parse::<Option<Token![=]>>()? {
        Some(_) => input.parse().ok(),
        None => None,
    };
    // In syn's own words it would be an error at the end of the attribute.
    let mut value: Expr = written.ok_or_else(|| known.needs(name))?;
    // A value that a `macro_rules!` macro passed on comes in an invisible group.
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    Ok(value)
}

/// The type that follows the name of an option.
fn type_of(name: &Ident, known: &Known, input: ParseStream<'_>) -> Result<Type> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Err(known.needs(name));
    }
    if let Some(Ok(text)) = input.peek(LitStr).then(|| input.parse::<LitStr>()) {
        let example = match text.parse::<Type>() {
            Ok(_) => format!("`{} = {}`", known.name, text.value()),
            Err(_) => format!("`{}`", known.example),
        };
        let message = format!("`{}` takes a type, not a string; write {example}", known.name);
        return Err(Error::new(text.span(), message));
    }
    // In syn's own words it would be a list of all that a type begins with.
    input.parse().map_err(|_error| known.needs(name))
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
