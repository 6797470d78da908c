//! `unique_for`, `unique_by(to, template)`, `unique_until = start`: what `#[job]` says about uniqueness.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Ident, Lit, Result, Token};

use super::check::{Field, Job};
use super::expand::serde_names;
use crate::errors::Errors;
use crate::suggest;

/// The ends of a lock, as they are written and as `UniqueUntil` has them.
const ENDS: [(&str, &str); 3] = [("success", "Success"), ("start", "Start"), ("ttl", "Ttl")];

/// What is said about uniqueness, but for how long.
#[derive(Default)]
pub(super) struct Unique {
    /// Whether it is said for how long.
    pub(super) has_time: bool,
    /// The arguments that tell tasks apart.
    by: Vec<Ident>,
    /// Where it is said until when.
    until: Option<Span>,
}

impl Unique {
    /// Reads `unique_by(…)`.
    pub(super) fn by(&mut self, list: ParseStream<'_>) -> Result<()> {
        let names = Punctuated::<Ident, Token![,]>::parse_terminated_with(list, Ident::parse_any).map_err(
            |error| {
                Error::new(
                    error.span(),
                    "expected the name of an argument, such as `unique_by(to, template)`",
                )
            },
        )?;
        for name in names {
            if self.names(&name) {
                return Err(Error::new(name.span(), format!("`{name}` is named twice")));
            }
            self.by.push(name);
        }
        Ok(())
    }

    /// Reads `unique_until = …`: the variant of `UniqueUntil`.
    pub(super) fn until(&mut self, value: &Expr) -> Result<TokenStream> {
        const ALLOWED: &str = "`unique_until` is `success`, `start` or `ttl`";
        let (written, span) = match value {
            Expr::Path(path) if path.path.get_ident().is_some() => {
                (path.path.get_ident().map(ToString::to_string).unwrap_or_default(), None)
            }
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => (text.value(), Some(text.span())),
            _ => return Err(Error::new_spanned(value, ALLOWED)),
        };
        let found = ENDS.iter().find(|(name, _)| *name == written);
        let variant = match (found, span) {
            (Some((_, variant)), None) => format_ident!("{variant}"),
            (Some((name, _)), Some(span)) => {
                let message = format!("`unique_until` takes a word, not a string; write `{name}`");
                return Err(Error::new(span, message));
            }
            (None, _) => {
                let meant = suggest::nearest(&written, ENDS.map(|(name, _)| name));
                let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                return Err(Error::new_spanned(value, format!("{ALLOWED}{hint}")));
            }
        };
        self.until = Some(syn::spanned::Spanned::span(value));
        Ok(quote!(__asynq::UniqueUntil::#variant))
    }

    /// What is wrong with it, given the job.
    pub(super) fn check(&self, job: &Job<'_>, errors: &mut Errors) {
        let needs_time = "needs `unique_for`: say for how long, such as `unique_for = \"10m\"`";
        match (self.has_time, self.by.first(), self.until) {
            (true, ..) | (false, None, None) => {}
            (false, Some(first), _) => {
                errors.push(Error::new(first.span(), format!("`unique_by` {needs_time}")))
            }
            (false, None, Some(span)) => {
                errors.push(Error::new(span, format!("`unique_until` {needs_time}")))
            }
        }
        // Something is wrong with an argument, perhaps with the one that is named.
        if job.call.is_none() {
            return;
        }
        let fields = &job.fields;
        for name in &self.by {
            match fields.iter().find(|field| field.name.unraw() == name.unraw()) {
                None => errors.push(unknown(name, fields)),
                Some(field) if is_left_out(field) => {
                    let message = format!("`{name}` is not in the payload, so it tells no tasks apart");
                    errors.push(Error::new(name.span(), message));
                }
                Some(_) => {}
            }
        }
    }

    fn names(&self, name: &Ident) -> bool {
        self.by.iter().any(|named| named.unraw() == name.unraw())
    }

    /// The fields that tell tasks apart; in one order, however they were listed.
    pub(super) fn fields<'a>(&self, fields: &'a [Field]) -> Vec<&'a Field> {
        let mut chosen: Vec<_> = fields.iter().filter(|field| self.names(&field.name)).collect();
        chosen.sort_by_key(|field| field.name.unraw().to_string());
        chosen
    }
}

fn is_left_out(field: &Field) -> bool {
    serde_names(&field.serde).iter().any(|name| name == "skip" || name == "skip_serializing")
}

/// The error at a name that no argument in the payload has.
fn unknown(name: &Ident, fields: &[Field]) -> Error {
    let known: Vec<String> = fields.iter().map(|field| field.name.to_string()).collect();
    let hint = match suggest::nearest(&name.to_string(), known.iter().map(String::as_str)) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None if known.is_empty() => ": this job has none".to_owned(),
        None => format!(" (it has: `{}`)", known.join("`, `")),
    };
    Error::new(name.span(), format!("`{name}` is no argument in the payload of this job{hint}"))
}
