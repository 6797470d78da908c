//! The JSON Schema of a payload, by `schemars`. Without the feature of that name nothing of this comes out.
//!
//! It is derived where serde's traits are, on the twin of the struct. An argument goes through a function that knows what
//! to do where its type has no schema.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Attribute;

use super::argument::Field;
use super::item::Item;
use super::{payload, types};
use crate::errors::Errors;

/// Whether the runtime can make schemas.
const IS_ON: bool = cfg!(feature = "schemars");

/// Refuses what would have no effect.
pub(super) fn check(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs.iter().filter(|_| !IS_ON) {
        errors.at(
            attr,
            "this is about the schema of the payload, which there is with the feature `schemars` of asynq: turn it on, or \
             leave this out",
        );
    }
}

/// `Job::SCHEMA`, of a type that has one or has not.
pub(super) fn of(ty: &TokenStream) -> Option<TokenStream> {
    IS_ON.then(|| {
        quote! {
            const SCHEMA: __asynq::SchemaFn = || {
                #[allow(unused_imports)]
                use __asynq::OpenSchema as _;
                __asynq::SchemaOf::<#ty>::payload()
            };
        }
    })
}

/// What stands before the twin of the struct: functions that make the schemas of its arguments, and its own attributes.
pub(super) fn of_struct(item: &Item, fields: &[Field]) -> Option<TokenStream> {
    if !IS_ON {
        return None;
    }
    let docs = item.attrs_named(&["doc"]).filter(|attr| attr.meta.require_name_value().is_ok());
    let functions = fields.iter().filter_map(|field| {
        let Field { ty, serde, .. } = field;
        let name = function(field)?;
        let given = payload::serde_names(serde);
        let schema = if payload::goes_its_own_way(&given) {
            quote!(__asynq::open::<#ty>())
        } else if given.iter().any(|name| name == "flatten") {
            quote!(__asynq::SchemaOf::<#ty>::flattened(generator))
        } else {
            quote!(__asynq::SchemaOf::<#ty>::argument(generator))
        };
        Some(quote! {
            #[allow(unused_variables)]
            fn #name(generator: &mut __asynq::schemars::SchemaGenerator) -> __asynq::schemars::Schema {
                #[allow(unused_imports)]
                use __asynq::OpenSchema as _;
                #schema
            }
        })
    });
    Some(quote! {
        // What the derive generates has this from the prelude, which a crate may be without.
        #[allow(unused_imports)]
        use ::core::convert::Into as _;

        #(#functions)*

        #(#docs)*
        #[derive(__asynq::schemars::JsonSchema)]
        #[schemars(crate = "__asynq::schemars")]
    })
}

/// What stands before a field of the twin.
pub(super) fn of_field(field: &Field) -> Option<TokenStream> {
    if !IS_ON {
        return None;
    }
    let Field { docs, schemars, .. } = field;
    let schema = function(field).map(|name| {
        let name = name.to_string();
        quote!(#[schemars(schema_with = #name)])
    });
    Some(quote!(#(#docs)* #(#schemars)* #schema))
}

/// The function that makes the schema of an argument; none where its user says what it is, or where its type has one for
/// certain.
fn function(field: &Field) -> Option<Ident> {
    let Field { position, ty, serde, schemars, .. } = field;
    let given = payload::serde_names(serde);
    let is_said = payload::serde_names(schemars)
        .iter()
        .any(|name| matches!(name.as_str(), "with" | "schema_with" | "skip"));
    let is_plain = types::is_plain(ty) && !payload::goes_its_own_way(&given);
    let is_skipped = given.iter().any(|name| name == "skip");
    (!is_said && !is_plain && !is_skipped).then(|| format_ident!("__asynq_schema_of_{position}"))
}
