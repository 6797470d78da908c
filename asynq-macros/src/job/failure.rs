//! What becomes of a failed or cancelled task: the values of `backoff` and `on_cancel`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, ExprCall, ExprLit, Lit, Result};

use super::values::length;
use crate::{duration, suggest};

const POLICIES: &str = "`fixed(\"10s\")`, `exponential(\"2s\", max = \"10m\")`, or a function of the retries so far and \
                        the error, by its path";

/// A retry policy, as an expression.
pub(super) fn backoff(value: &Expr) -> Result<TokenStream> {
    match value {
        Expr::Call(call) => policy(call),
        Expr::Path(path) if path.path.is_ident("fixed") => {
            Err(Error::new_spanned(value, "`fixed` needs a delay: write `backoff = fixed(\"10s\")`"))
        }
        Expr::Path(path) if path.path.is_ident("exponential") => {
            Err(Error::new_spanned(value, exponential_form()))
        }
        Expr::Path(_) | Expr::Closure(_) => Ok(quote!(__asynq::RetryPolicy::of(#value))),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Err(Error::new(
            text.span(),
            format!(
                "`backoff` takes a policy; for the same delay each time write `fixed({:?})`",
                text.value()
            ),
        )),
        _ => Err(Error::new_spanned(value, format!("`backoff` takes {POLICIES}"))),
    }
}

fn exponential_form() -> String {
    "`exponential` needs the first delay and the longest: write `backoff = exponential(\"2s\", max = \"10m\")`".to_owned()
}

/// `fixed(…)` or `exponential(…)`.
fn policy(call: &ExprCall) -> Result<TokenStream> {
    let name = match &*call.func {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string).unwrap_or_default(),
        _ => String::new(),
    };
    let arguments: Vec<&Expr> = call.args.iter().collect();
    match (name.as_str(), arguments.as_slice()) {
        ("fixed", [delay]) => {
            let delay = length(delay)?;
            Ok(quote!(__asynq::RetryPolicy::Fixed(#delay)))
        }
        ("fixed", _) => {
            Err(Error::new_spanned(call, "`fixed` needs one delay: write `backoff = fixed(\"10s\")`"))
        }
        ("exponential", [base, Expr::Assign(max)]) if is_max(&max.left) => {
            let (shortest, longest) = (seconds(base)?, seconds(&max.right)?);
            if longest < shortest {
                return Err(Error::new_spanned(
                    &max.right,
                    "the longest delay is shorter than the first one",
                ));
            }
            let (base, max) = (length(base)?, length(&max.right)?);
            Ok(quote!(__asynq::RetryPolicy::Exponential { base: #base, max: #max }))
        }
        ("exponential", _) => Err(Error::new_spanned(call, exponential_form())),
        _ => {
            let meant = suggest::nearest(&name, ["fixed", "exponential"])
                .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            Err(Error::new_spanned(&call.func, format!("no such policy{meant} (there are {POLICIES})")))
        }
    }
}

fn is_max(name: &Expr) -> bool {
    matches!(name, Expr::Path(path) if path.path.is_ident("max"))
}

fn seconds(value: &Expr) -> Result<u64> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            duration::seconds(&text.value()).map_err(|message| Error::new(text.span(), message))
        }
        _ => length(value).map(|_| 0),
    }
}

/// What becomes of a cancelled task, as an expression.
pub(super) fn on_cancel(value: &Expr) -> Result<TokenStream> {
    const KNOWN: [(&str, &str); 3] = [("retry", "Retry"), ("archive", "Archive"), ("delete", "Delete")];
    let written = match value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string).unwrap_or_default(),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. })
            if KNOWN.iter().any(|(name, _)| *name == text.value()) =>
        {
            let message = format!("write it without quotes: `on_cancel = {}`", text.value());
            return Err(Error::new(text.span(), message));
        }
        _ => String::new(),
    };
    let Some((_, variant)) = KNOWN.iter().find(|(name, _)| *name == written) else {
        let meant = suggest::nearest(&written, KNOWN.iter().map(|(name, _)| *name))
            .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        let message = format!("`on_cancel` is `retry` (as in Go), `archive` or `delete`{meant}");
        return Err(Error::new_spanned(value, message));
    };
    let variant = quote::format_ident!("{variant}");
    Ok(quote!(__asynq::OnCancel::#variant))
}
