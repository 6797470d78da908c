//! `codec = …`, `version = …` and `from = …`: how the payload is written, and which earlier forms of it are read.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Lit, LitInt, Result, Token, Type};

use super::argument::Field;
use crate::errors::Errors;
use crate::render::render;

const VERSION: &str = "a version is a number, 2 or more; the first is that of a job which says none";

/// What a job says of its payload's encoding. What it does not say is JSON, and the first version.
#[derive(Default)]
pub(super) struct Encoding {
    /// Encodes the payload.
    pub(super) codec: Option<Type>,
    version: Option<LitInt>,
    earlier: Vec<Earlier>,
}

/// An earlier form of the payload.
struct Earlier {
    /// Its version; the one before this unless given.
    version: Option<LitInt>,
    ty: Type,
}

impl Encoding {
    /// Takes `version = 2`.
    pub(super) fn version(&mut self, value: &Expr) -> Result<()> {
        match value {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if number_of(number) > Some(1) => {
                self.version = Some(number.clone());
                Ok(())
            }
            _ => Err(Error::new_spanned(value, VERSION)),
        }
    }

    /// Takes `from = OldSendEmail`: the form of the version before this one.
    pub(super) fn set_previous(&mut self, ty: Type) {
        self.earlier.push(Earlier { version: None, ty });
    }

    /// Takes `from(1 = First, 2 = Second)`.
    pub(super) fn set_earlier(&mut self, list: ParseStream<'_>) -> Result<()> {
        self.earlier = Punctuated::<Earlier, Token![,]>::parse_terminated_with(list, Earlier::parse)?
            .into_iter()
            .collect();
        Ok(())
    }

    /// Checks what belongs together, once all options are read. Leaves out what is wrong.
    pub(super) fn check(&mut self, errors: &mut Errors) {
        let before = errors.count();
        let this = self.number();
        for (position, Earlier { version, ty }) in self.earlier.iter().enumerate() {
            let Some(version) = version else { continue };
            let number = number_of(version);
            let given = |other: &Earlier| other.version.as_ref().and_then(number_of) == number;
            if self.version.is_none() {
                let message = format!(
                    "say which version this is, too: `version = {}`",
                    number.unwrap_or(1).saturating_add(1)
                );
                errors.at(version, message);
                break;
            } else if !(Some(1)..Some(this)).contains(&number) {
                let last = this - 1;
                let earlier = if last == 1 {
                    "the one before it is 1".to_owned()
                } else {
                    format!("those before it are 1 to {last}")
                };
                errors.at(version, format!("this is version {this}: {earlier}"));
            } else if self.earlier.iter().take(position).any(given) {
                errors.at(ty, format!("version {version} is given twice"));
            }
        }
        if errors.count() > before {
            self.earlier.clear();
        }
    }

    /// The argument that the codec is given itself, of a job that is `transparent`; other jobs are encoded as what serde
    /// makes of them.
    pub(super) fn argument<'a>(&self, transparent: Option<&Ident>, fields: &'a [Field]) -> Option<&'a Field> {
        match (&self.codec, transparent, fields) {
            (Some(_), Some(_), [field]) => Some(field),
            _ => None,
        }
    }

    /// What stands in `impl Job`; `encodes_argument` where there is such an argument.
    pub(super) fn items(&self, encodes_argument: bool) -> TokenStream {
        let codec = |place: Span| {
            self.codec
                .as_ref()
                .map_or_else(|| quote_spanned!(place=> __asynq::Json), ToTokens::to_token_stream)
        };
        let of_job = codec(Span::call_site());
        let of_job =
            if encodes_argument { quote_spanned!(of_job.span()=> __asynq::Whole<#of_job>) } else { of_job };
        let this = self.number();
        let version = (this > 1).then(|| quote!(const VERSION: u32 = #this;));
        let earlier = self.earlier.iter().map(|Earlier { version, ty }| {
            let number = version.as_ref().and_then(number_of).unwrap_or(this - 1);
            let codec = codec(ty.span());
            quote_spanned!(ty.span()=> __asynq::Earlier::new::<#codec, #ty>(#number))
        });
        let earlier = (!self.earlier.is_empty()).then(|| {
            quote! {
                const EARLIER: &'static [__asynq::Earlier<Self>] = &[#(#earlier),*];
            }
        });
        quote! {
            #version
            #earlier
            type Codec = #of_job;
        }
    }

    /// The version of this form.
    fn number(&self) -> u32 {
        let implied = if self.earlier.is_empty() { 1 } else { 2 };
        self.version.as_ref().and_then(number_of).unwrap_or(implied)
    }
}

impl Earlier {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(LitInt) {
            let ty: Type = input.parse()?;
            let message = format!("say which version it was: `from(1 = {})`", render(&ty));
            return Err(Error::new_spanned(ty, message));
        }
        let version = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self { version: Some(version), ty: input.parse()? })
    }
}

/// What the codec needs of a job whose only argument it is given.
pub(super) fn transparent(name: &Ident, Field { name: field, ty, .. }: &Field) -> TokenStream {
    quote! {
        impl __asynq::Transparent for #name {
            type Value = #ty;

            fn value(&self) -> &Self::Value {
                &self.#field
            }

            fn of_value(value: Self::Value) -> Self {
                Self { #field: value }
            }
        }
    }
}

fn number_of(literal: &LitInt) -> Option<u32> {
    literal.base10_parse().ok()
}
