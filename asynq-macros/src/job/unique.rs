//! `unique_for`, `unique_by(to, template)`, `unique_until = start`: what `#[job]` says about uniqueness.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Ident, Lit, Result, Token};

use super::argument::Field;
use super::case::Case;
use super::payload;
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
            if self.by.iter().any(|other| other.unraw() == name.unraw()) {
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

    /// Says so if it is not said for how long.
    pub(super) fn check_time(&self, errors: &mut Errors) {
        let Some((option, span)) = self.without_time() else { return };
        let message =
            format!("`{option}` needs `unique_for`: say for how long, such as `unique_for = \"10m\"`");
        errors.push(Error::new(span, message));
    }

    /// The option that makes no sense without `unique_for`, and its place, where that is not given.
    pub(super) fn without_time(&self) -> Option<(&'static str, Span)> {
        match (self.by.first(), self.until) {
            _ if self.has_time => None,
            (Some(name), _) => Some(("unique_by", name.span())),
            (None, Some(span)) => Some(("unique_until", span)),
            (None, None) => None,
        }
    }

    /// Notes that there must be no names, if there are.
    pub(super) fn refuse_names(&self, message: &str, errors: &mut Errors) {
        if let Some(name) = self.by.first() {
            errors.at(name, message);
        }
    }

    /// What is wrong with the names, given what is in the payload.
    pub(super) fn check_names(&self, fields: &[Field], errors: &mut Errors) {
        for name in &self.by {
            match field(name, fields) {
                None => errors.push(unknown(name, fields)),
                Some(field) if is_left_out(field) => {
                    let message = format!("`{name}` is not in the payload, so it tells no tasks apart");
                    errors.push(Error::new(name.span(), message));
                }
                Some(_) => {}
            }
        }
    }

    /// The fields that tell tasks apart, by their names in the payload. Names that none of these fields has are left out;
    /// of a struct whose fields are not known here (`None`), the compiler judges them.
    pub(super) fn fields(&self, fields: Option<&[Field]>, case: Option<&Case>) -> UniqueBy<'_> {
        let with_text = |name| match fields.map(|fields| field(name, fields)) {
            None => Some((name.unraw().to_string(), name)),
            Some(found) => Some((payload::json_name(name, &found?.serde, case), name)),
        };
        let mut named: Vec<(String, &Ident)> = self.by.iter().filter_map(with_text).collect();
        // In one order, however they were listed.
        named.sort();
        UniqueBy(named)
    }
}

/// The fields that tell tasks apart, with their names in the payload; all of the payload if there are none.
#[derive(Default)]
pub(super) struct UniqueBy<'a>(Vec<(String, &'a Ident)>);

impl UniqueBy<'_> {
    /// The call on `JobOptions` that tells of them.
    pub(super) fn setter(&self) -> Option<TokenStream> {
        let names = self.0.iter().map(|(text, _)| text);
        (!self.0.is_empty()).then(|| quote!(.unique_by(&[#(#names),*])))
    }

    /// The method `Job::unique_by`.
    pub(super) fn method(&self) -> Option<TokenStream> {
        let add = self.0.iter().map(|(text, name)| quote!(.field(#text, &self.#name)?));
        (!self.0.is_empty()).then(|| {
            quote! {
                fn unique_by(
                    &self,
                ) -> ::core::result::Result<::core::option::Option<__asynq::Bytes>, __asynq::CodecError> {
                    __asynq::UniqueFields::new()#(#add)*.object()
                }
            }
        })
    }
}

/// The field of this name.
fn field<'a>(name: &Ident, fields: &'a [Field]) -> Option<&'a Field> {
    fields.iter().find(|field| field.name.unraw() == name.unraw())
}

fn is_left_out(field: &Field) -> bool {
    payload::serde_names(&field.serde).iter().any(|name| name == "skip" || name == "skip_serializing")
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
