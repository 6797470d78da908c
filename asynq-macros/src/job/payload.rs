//! What the payload of a job is: serde's traits for its struct, or what another codec needs, and its shape for the
//! catalog.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Token};

use super::args::Args;
use super::argument::Field;
use super::case::Case;
use super::check::Job;
use super::item::Item;
use super::{encoding, schema, types};
use crate::render::render;

/// `Serialize` and `Deserialize`, unless the codec is given the argument itself. They are derived on a twin of the
/// struct, because only in here serde's attributes can name what they need: their paths are texts, in which the path of
/// a crate may mean nothing.
pub(super) fn wire(args: &Args, item: &Item, job: &Job<'_>) -> TokenStream {
    let Job { name, fields, .. } = job;
    if let Some(field) = job.encoded(args) {
        return encoding::transparent(name, field);
    }
    let text = LitStr::new(&name.to_string(), Span::call_site());
    // After a mistake about an argument that a codec was to be given, serde may find one of its own.
    let is_transparent = args.transparent.is_some() && fields.len() == 1 && args.encoded(fields).is_none();
    let transparent = is_transparent.then(|| quote!(transparent,));
    let rename_all = args.rename_all.as_ref().map(|Case { name, .. }| quote!(rename_all = #name,));
    let described = schema::of_struct(item, fields);
    let (arguments, fields): (Vec<_>, Vec<_>) = fields
        .iter()
        .map(|field| {
            let Field { name, ty, serde, .. } = field;
            let (argument, attribute) = through_payload(field).unzip();
            let described = schema::of_field(field);
            (argument, quote!(#(#serde)* #attribute #described #name: #ty))
        })
        .unzip();
    quote! {
        #(#arguments)*

        #described
        #[derive(__asynq::serde::Serialize, __asynq::serde::Deserialize)]
        #[serde(#transparent #rename_all crate = "__asynq::serde", remote = #text, rename = #text)]
        #[allow(dead_code)]
        struct __AsynqPayload {
            #(#fields,)*
        }

        impl __asynq::serde::Serialize for #name {
            fn serialize<S: __asynq::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<
                <S as __asynq::serde::Serializer>::Ok,
                <S as __asynq::serde::Serializer>::Error,
            > {
                __AsynqPayload::serialize(self, serializer)
            }
        }

        impl<'de> __asynq::serde::Deserialize<'de> for #name {
            fn deserialize<D: __asynq::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, <D as __asynq::serde::Deserializer<'de>>::Error> {
                __AsynqPayload::deserialize(deserializer)
            }
        }
    }
}

/// The impl and the serde attribute that send a field through `Payload`; nothing where the user says how it travels,
/// or where that cannot fail.
fn through_payload(field: &Field) -> Option<(TokenStream, TokenStream)> {
    let Field { position, ty, serde, .. } = field;
    let given = serde_names(serde);
    let is_skipped = given.iter().any(|name| name.starts_with("skip") && name != "skip_serializing_if");
    // The detour costs the compiler as much as a small field itself, and most fields are plain.
    if types::is_plain(ty) || is_skipped || goes_its_own_way(&given) {
        return None;
    }
    let argument = quote! {
        impl __asynq::Argument<#position> for __AsynqJob {
            type Value = #ty;
        }
    };
    let write = format!("__asynq::write_argument::<__AsynqJob, {position}, _>");
    let read = format!("__asynq::read_argument::<__AsynqJob, {position}, _>");
    // These switch off serde's rule that a missing `Option` is `None`.
    let optional = types::argument_of(ty, "Option").is_some()
        && !given.iter().any(|name| matches!(name.as_str(), "default" | "flatten"));
    let default = optional.then(|| quote!(default,));
    Some((argument, quote!(#[serde(#default serialize_with = #write, deserialize_with = #read)])))
}

/// Whether these attributes of serde say that a field is not written as its type is.
pub(super) fn goes_its_own_way(given: &[String]) -> bool {
    given.iter().any(|name| matches!(name.as_str(), "with" | "serialize_with" | "deserialize_with"))
}

/// The names in `#[serde(name = …, name(…), name)]`. What cannot be read is serde's to report.
pub(super) fn serde_names(attrs: &[Attribute]) -> Vec<String> {
    let metas = attrs
        .iter()
        .filter_map(|attr| attr.parse_args_with(Punctuated::<syn::Meta, Token![,]>::parse_terminated).ok());
    metas.flatten().filter_map(|meta| Some(meta.path().get_ident()?.to_string())).collect()
}

/// The value of `Job::PAYLOAD` of a job that `#[job]` makes.
pub(super) fn shape(args: &Args, fields: &[Field]) -> TokenStream {
    match (&args.transparent, fields) {
        (Some(_), [Field { ty, .. }]) => value_shape(&short(&render(ty))),
        _ => fields_shape(args.rename_all.as_ref(), fields),
    }
}

/// A payload that is the encoding of one type.
pub(super) fn value_shape(ty: &str) -> TokenStream {
    quote!(__asynq::PayloadShape::Value(#ty))
}

/// A payload with these fields.
pub(super) fn fields_shape(case: Option<&Case>, fields: &[Field]) -> TokenStream {
    let fields = fields.iter().filter_map(|Field { name, ty, serde, .. }| {
        let given = serde_names(serde);
        let is = |names: &[&str]| given.iter().any(|name| names.contains(&name.as_str()));
        if is(&["skip", "flatten"]) {
            return None;
        }
        let name = json_name(name, serde, case);
        let required = !is(&["default", "skip_deserializing"])
            && (types::argument_of(ty, "Option").is_none() || is(&["with", "deserialize_with"]));
        let ty = short(&render(ty));
        Some(quote!(__asynq::PayloadField { name: #name, ty: #ty, required: #required }))
    });
    quote!(__asynq::PayloadShape::Fields(&[#(#fields),*]))
}

/// The name of a field in the payload.
pub(super) fn json_name(name: &Ident, serde: &[Attribute], case: Option<&Case>) -> String {
    let plain = name.unraw().to_string();
    match serde_text(serde, "rename") {
        Some(name) => name.value(),
        None => case.map(|case| case.apply(&plain)).unwrap_or(plain),
    }
}

/// The text in `#[serde(name = "…")]`.
pub(super) fn serde_text(attrs: &[Attribute], name: &str) -> Option<LitStr> {
    let metas = attrs
        .iter()
        .filter_map(|attr| attr.parse_args_with(Punctuated::<syn::Meta, Token![,]>::parse_terminated).ok());
    metas.flatten().find_map(|meta| match meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident(name) => match pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
            _ => None,
        },
        _ => None,
    })
}

/// A type that was lent as people write its owner.
fn short(ty: &str) -> String {
    let names = [
        ("::std::string::String", "String"),
        ("::std::vec::Vec<", "Vec<"),
        ("::std::path::PathBuf", "PathBuf"),
    ];
    names.iter().fold(ty.to_owned(), |ty, (long, short)| ty.replace(long, short))
}
