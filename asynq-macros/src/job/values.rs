//! What stands behind the `=` of an option: each function reads one kind of value, or says what to write.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, ExprLit, ExprPath, Ident, Lit, LitInt, LitStr, Result, Type, TypePath, UnOp};

use crate::duration;
use crate::paths::CratePath;

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

/// Task types, as an array of string literals.
pub(super) fn aliases(value: &Expr) -> Result<Vec<LitStr>> {
    let Expr::Array(array) = value else {
        let hint = match value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => format!("; write `[{:?}]`", text.value()),
            _ => ", such as `aliases = [\"mail:send\"]`".to_owned(),
        };
        return Err(Error::new_spanned(value, format!("`aliases` takes an array of task types{hint}")));
    };
    let mut names: Vec<LitStr> = Vec::new();
    for name in &array.elems {
        let name = text(name, "task type")?;
        if names.iter().any(|known| known.value() == name.value()) {
            return Err(Error::new(name.span(), format!("the alias {:?} is given twice", name.value())));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Err(Error::new_spanned(value, "name at least one task type, or leave `aliases` out"));
    }
    Ok(names)
}

/// The job that a function is the handler of.
pub(super) fn job_type(value: &Expr) -> Result<Type> {
    match value {
        Expr::Path(ExprPath { qself, path, .. }) => {
            Ok(Type::Path(TypePath { attrs: Vec::new(), qself: qself.clone(), path: path.clone() }))
        }
        _ => Err(Error::new_spanned(
            value,
            "`for` takes the path of a job, such as `for = my_jobs::SendEmail`",
        )),
    }
}

/// The constant with the options that jobs share.
pub(super) fn defaults(value: &Expr) -> Result<ExprPath> {
    match value {
        Expr::Path(path) => Ok(path.clone()),
        _ => Err(Error::new_spanned(
            value,
            "`defaults` takes the path of a constant, such as `defaults = MAIL`, with `const MAIL: JobOptions = \
             JobOptions::new().queue(\"mail\");`",
        )),
    }
}

/// The name of a struct.
pub(super) fn structure(value: &Expr) -> Result<Ident> {
    const EXAMPLE: &str = "the name of a struct is a string literal, such as `struct = \"SendMail\"`";
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text
            .parse::<Ident>()
            .map_err(|_error| Error::new(text.span(), format!("{:?} cannot name a struct", text.value()))),
        Expr::Path(path) => match path.path.get_ident() {
            Some(name) => {
                let message =
                    format!("the name of a struct is a string literal; write `struct = \"{name}\"`");
                Err(Error::new_spanned(value, message))
            }
            None => Err(Error::new_spanned(value, EXAMPLE)),
        },
        _ => Err(Error::new_spanned(value, EXAMPLE)),
    }
}

/// A number of retries.
pub(super) fn times(value: &Expr) -> Result<u32> {
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
pub(super) fn slots(value: &Expr) -> Result<LitInt> {
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
pub(super) fn layer(value: &Expr) -> Result<Expr> {
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
