//! `#[derive(Job)]`: a struct that is a job, whose handler is somewhere else.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Meta};

use super::args::Args;
use super::argument::Field;
use super::case::{self, Case};
use super::{expand, payload, schema};
use crate::errors::{Errors, report};

/// Expands one use.
pub(crate) fn expand_derive(tokens: TokenStream) -> TokenStream {
    report(|errors| {
        let input: DeriveInput = match syn::parse2(tokens) {
            Ok(input) => input,
            Err(error) => {
                errors.push(error);
                return TokenStream::new();
            }
        };
        let args = Args::parse(options(&input.attrs, errors), errors);
        args.check_contract(errors);
        if !input.generics.params.is_empty() {
            let message = "a job cannot be generic: a worker finds it by its task type alone";
            errors.at(&input.generics.params, message);
            return TokenStream::new();
        }
        args.unique.check_names(&named_fields(&input).unwrap_or_default(), errors);
        contract(&args, &input)
    })
}

/// What `#[job(…)]` beside the derive says.
fn options(attrs: &[Attribute], errors: &mut Errors) -> TokenStream {
    let mut given = attrs.iter().filter(|attr| attr.path().is_ident("job"));
    let options = match given.next().map(|attr| &attr.meta) {
        Some(Meta::List(list)) => list.tokens.clone(),
        Some(meta @ Meta::NameValue(_)) => {
            errors.push(Error::new_spanned(
                meta,
                "write options in parentheses: `#[job(queue = \"critical\")]`",
            ));
            TokenStream::new()
        }
        Some(Meta::Path(_)) | None => TokenStream::new(),
    };
    for attr in given {
        errors.at(attr, "write all options in one `#[job(…)]`");
    }
    options
}

fn contract(args: &Args, input: &DeriveInput) -> TokenStream {
    let DeriveInput { ident, vis, .. } = input;
    let import = args.krate.import();
    let shape = shape(input);
    let output = args.output.as_ref().map_or_else(|| quote!(()), |ty| quote!(#ty));
    let encoding = args.encoding.items(false);
    let fields = named_fields(input).unwrap_or_default();
    let unique_by = args.unique.fields(Some(&fields), rename_all(&serde_of(&input.attrs)).as_ref());
    let task_type = snake_case(&ident.unraw().to_string());
    let schema = schema::of(&ident.to_token_stream());
    let items = quote!(#encoding #schema type Output = #output;);
    let job = expand::job_impl(args, ident, &task_type, &shape, &unique_by, &items);
    let enqueue = expand::enqueue(vis);
    quote! {
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            #import
            #job

            #[allow(dead_code, unreachable_pub)]
            impl #ident {
                #enqueue
            }
        };
    }
}

/// What the payload holds, by serde's rules.
fn shape(input: &DeriveInput) -> TokenStream {
    let whole = || payload::value_shape(&input.ident.unraw().to_string());
    let Some(fields) = named_fields(input) else { return whole() };
    let serde = serde_of(&input.attrs);
    let given = payload::serde_names(&serde);
    if given.iter().any(|name| matches!(name.as_str(), "transparent" | "from" | "try_from" | "into")) {
        return whole();
    }
    payload::fields_shape(rename_all(&serde).as_ref(), &fields)
}

/// The fields of a struct that has names for them.
fn named_fields(input: &DeriveInput) -> Option<Vec<Field>> {
    let Data::Struct(data) = &input.data else { return None };
    let Fields::Named(named) = &data.fields else { return None };
    let fields = named.named.iter().enumerate().filter_map(|(position, field)| {
        let name = field.ident.clone()?;
        let serde = serde_of(&field.attrs);
        Some(Field { position, name, ty: field.ty.clone(), docs: Vec::new(), serde, schemars: Vec::new() })
    });
    Some(fields.collect())
}

fn serde_of(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("serde")).cloned().collect()
}

fn rename_all(serde: &[Attribute]) -> Option<Case> {
    payload::serde_text(serde, "rename_all").and_then(|name| case::named(&name))
}

/// `SendEmail` → `send_email`, `HTTPGet` → `http_get`.
pub(super) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || letters.get(index + 1).is_some_and(|after| after.is_lowercase())
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn a_task_type_is_named_after_its_struct() {
        for (structure, name) in [
            ("SendEmail", "send_email"),
            ("Resize", "resize"),
            ("HTTPGet", "http_get"),
            ("Http2Get", "http2_get"),
            ("X", "x"),
        ] {
            assert_eq!(snake_case(structure), name);
        }
    }
}
