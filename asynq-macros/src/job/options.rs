//! The options of `#[job]`.
//!
//! An option is one row of [`OPTIONS`]: its name, an example for messages, and how it is read: `name = value`,
//! `name = type`, `name(list)` or `name` alone. One that has several forms has a row for each.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, Ident, LitStr, Result, Token, Type, token};

use super::args::Args;
use super::values::{aliases, defaults, job_type, layer, length, path, slots, structure, text, times};
use super::{case, derives, elsewhere, failure, rate};
use crate::suggest;

/// An option of `#[job]`.
pub(super) struct Known {
    pub(super) name: &'static str,
    /// How it is used, for messages.
    example: &'static str,
    pub(super) read: Read,
}

/// What follows the name of an option, and what reads it.
pub(super) enum Read {
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
pub(super) const REPEATABLE: [&str; 1] = ["cron"];

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
    pub(super) fn needs(&self, name: &Ident) -> Error {
        let needs = match self.read {
            Value(_) => "needs a value: write",
            OfType(_) => "needs a type: write",
            List(_) => "needs a list: write",
            Flag(_) => "has no value: write just",
        };
        Error::new(name.span(), format!("`{}` {needs} `{}`", self.name, self.example))
    }

    /// What follows the name of an option.
    pub(super) fn value(&self, name: &Ident, input: ParseStream<'_>) -> Result<Expr> {
        let written = match input.parse::<Option<Token![=]>>()? {
            Some(_) => input.parse().ok(),
            None => None,
        };
        // In syn's own words it would be an error at the end of the attribute.
        let mut value: Expr = written.ok_or_else(|| self.needs(name))?;
        // A value that a `macro_rules!` macro passed on comes in an invisible group.
        while let Expr::Group(group) = value {
            value = *group.expr;
        }
        Ok(value)
    }

    /// The type that follows the name of an option.
    pub(super) fn type_of(&self, name: &Ident, input: ParseStream<'_>) -> Result<Type> {
        if input.parse::<Option<Token![=]>>()?.is_none() {
            return Err(self.needs(name));
        }
        if let Some(Ok(text)) = input.peek(LitStr).then(|| input.parse::<LitStr>()) {
            let example = match text.parse::<Type>() {
                Ok(_) => format!("`{} = {}`", self.name, text.value()),
                Err(_) => format!("`{}`", self.example),
            };
            let message = format!("`{}` takes a type, not a string; write {example}", self.name);
            return Err(Error::new(text.span(), message));
        }
        // In syn's own words it would be a list of all that a type begins with.
        input.parse().map_err(|_error| self.needs(name))
    }
}

/// The option of this name, in the form that follows it.
pub(super) fn find(name: &Ident, input: ParseStream<'_>) -> Result<&'static Known> {
    let written = name.unraw().to_string();
    let mut forms = OPTIONS.iter().filter(|known| known.name == written);
    if let Some(first) = forms.next() {
        return Ok(std::iter::once(first).chain(forms).find(|form| form.is_at(input)).unwrap_or(first));
    }
    if let Some(message) = elsewhere::advice(&written) {
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
