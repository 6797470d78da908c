//! What comes out: the function as it was, the struct beside it, and all the rest inside `const _: () = { … };`,
//! where no name can clash with the user's.
//!
//! The rest finds the runtime as `__asynq`. Types keep the places that the user gave them, so that errors point
//! there.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, LitStr, Token, Type, parse_quote};

use super::args::Args;
use super::check::{Argument, Call, Field, Job, Source};
use super::item::Item;
use super::rate::Rate;
use super::types;

/// The whole expansion.
pub(super) fn expand(args: &Args, item: &Item, job: Option<&Job<'_>>) -> TokenStream {
    let function = item.function();
    let Some(job) = job else { return function };
    let structure = structure(item, job);
    let cfgs = item.attrs_named(&["cfg"]);
    let import = args.krate.import();
    let wire = wire(job);
    let trait_impl = trait_impl(args, job);
    let methods = methods(item, job);
    let registration = job.call.as_ref().map(|call| registration(args, item, job, call));
    quote! {
        #function

        #structure

        #(#cfgs)*
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            #import
            // Private, so that the types of a job may be as private as its function allows.
            enum __AsynqJob {}
            #wire
            #trait_impl
            #methods
            #registration
        };
    }
}

/// The struct. It implements serde's traits and nothing else: each further derive would ask something of every
/// argument, and `Debug` would put people's data into logs.
fn structure(item: &Item, job: &Job<'_>) -> TokenStream {
    let Job { name, fields, .. } = job;
    let vis = &item.vis;
    let docs = documentation(item);
    let attrs = item.attrs_named(&["cfg", "deprecated", "doc"]);
    let fields = fields.iter().map(|field| {
        let Field { name, ty, docs, .. } = field;
        let default_doc = docs.is_empty().then(|| {
            let text = format!("The `{}` argument of {}.", name.unraw(), function_link(item));
            quote!(#[doc = #text])
        });
        quote!(#(#docs)* #default_doc #vis #name: #ty)
    });
    let body = quote_spanned!(at_function(item)=> struct #name { #(#fields,)* });
    quote! {
        #docs
        #(#attrs)*
        #[allow(missing_debug_implementations, missing_copy_implementations)]
        // What these say of the function need not be said again.
        #[allow(private_interfaces, unreachable_pub, unused_qualifications)]
        #vis #body
    }
}

/// The place of the function's name, for tokens of our own: what is wrong with the struct is reported there, and
/// lints see that a macro made it.
fn at_function(item: &Item) -> Span {
    Span::call_site().located_at(item.signature.ident.span())
}

/// Documentation of the struct of a function that has none.
fn documentation(item: &Item) -> Option<TokenStream> {
    // `#[doc(hidden)]` and the like are not documentation.
    if item.attrs_named(&["doc"]).any(|attr| attr.meta.require_name_value().is_ok()) {
        return None;
    }
    let text = format!("The job that {} runs.", function_link(item));
    Some(quote!(#[doc = #text]))
}

/// The function in documentation; rustdoc cannot link raw names.
fn function_link(item: &Item) -> String {
    let ident = &item.signature.ident;
    let name = ident.unraw();
    if *ident == name { format!("[`{name}`]") } else { format!("`{name}`") }
}

/// `Serialize` and `Deserialize`. They are derived on a twin of the struct, because only in here serde's attributes
/// can name what they need: their paths are texts, in which the path of a crate may mean nothing.
fn wire(job: &Job<'_>) -> TokenStream {
    let Job { name, fields, .. } = job;
    let text = LitStr::new(&name.to_string(), Span::call_site());
    let (arguments, fields): (Vec<_>, Vec<_>) = fields
        .iter()
        .map(|field| {
            let Field { name, ty, serde, .. } = field;
            let (argument, attribute) = through_payload(field).unzip();
            (argument, quote!(#(#serde)* #attribute #name: #ty))
        })
        .unzip();
    quote! {
        #(#arguments)*

        #[derive(__asynq::serde::Serialize, __asynq::serde::Deserialize)]
        #[serde(crate = "__asynq::serde", remote = #text, rename = #text)]
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
    const OWN_WAY: [&str; 6] =
        ["with", "serialize_with", "deserialize_with", "skip", "skip_serializing", "skip_deserializing"];
    let Field { position, ty, serde, .. } = field;
    let given = serde_names(serde);
    // The detour costs the compiler as much as a small field itself, and most fields are plain.
    if types::is_plain(ty) || given.iter().any(|name| OWN_WAY.contains(&name.as_str())) {
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

/// The names in `#[serde(name = …, name(…), name)]`. What cannot be read is serde's to report.
pub(super) fn serde_names(attrs: &[Attribute]) -> Vec<String> {
    let metas = attrs
        .iter()
        .filter_map(|attr| attr.parse_args_with(Punctuated::<syn::Meta, Token![,]>::parse_terminated).ok());
    metas.flatten().filter_map(|meta| Some(meta.path().get_ident()?.to_string())).collect()
}

/// `impl Job`.
fn trait_impl(args: &Args, job: &Job<'_>) -> TokenStream {
    let Args { name, setters, .. } = args;
    let Job { name: job_name, task_type, call, .. } = job;
    let task_type = name.clone().unwrap_or_else(|| LitStr::new(task_type, Span::call_site()));
    let unit: Type = parse_quote!(());
    let output = call.as_ref().map_or(&unit, |call| &call.output);
    let (first, last) = types::ends(output);
    let value = outcome(output, "Output");
    let start = quote_spanned!(first=> type);
    let output = quote_spanned!(last=> #start Output = #value;);
    quote! {
        impl __asynq::Job for #job_name {
            const NAME: &'static str = #task_type;
            const OPTIONS: __asynq::JobOptions = __asynq::JobOptions::new()#setters;
            type Codec = __asynq::Json;
            #output
        }
    }
}

/// `<ty as IntoOutcome>::item`. A type that is no outcome is an error wherever this stands; the compiler shows errors
/// of one text at one place once, so everything here starts and ends where the type does.
fn outcome(ty: &Type, item: &str) -> TokenStream {
    let (first, last) = types::ends(ty);
    let item = Ident::new(item, last);
    quote_spanned!(first=> <#ty as __asynq::IntoOutcome>::#item)
}

/// `new` and `enqueue`. Inherent, so that they need no import and show in the documentation.
fn methods(item: &Item, job: &Job<'_>) -> TokenStream {
    let Job { name, fields, .. } = job;
    let vis = &item.vis;
    let parameters = fields.iter().map(|Field { name, ty, .. }| {
        // Only for text: a number literal that goes through `Into` has no type.
        if types::is_named(ty, "String") {
            quote!(#name: impl ::core::convert::Into<#ty>)
        } else {
            quote!(#name: #ty)
        }
    });
    let values = fields.iter().map(|Field { name, ty, .. }| {
        if types::is_named(ty, "String") {
            quote!(#name: ::core::convert::Into::into(#name))
        } else {
            quote!(#name)
        }
    });
    quote_spanned! {at_function(item)=>
        #[allow(dead_code, private_interfaces, unreachable_pub)]
        #[allow(clippy::too_many_arguments, clippy::used_underscore_binding)]
        impl #name {
            /// The job with these arguments. Nothing is enqueued yet.
            #[must_use]
            #vis fn new(#(#parameters),*) -> Self {
                Self { #(#values),* }
            }

            /// Enqueues the job: set options on what this returns, then `.await` it.
            #vis fn enqueue(
                self,
                client: &(impl __asynq::AsClient + ?::core::marker::Sized),
            ) -> __asynq::Enqueue<'_> {
                __asynq::Enqueue::new(self, client)
            }
        }
    }
}

/// The handler, and its entry in the list of all jobs.
fn registration(args: &Args, item: &Item, job: &Job<'_>, call: &Call<'_>) -> TokenStream {
    let function = &item.signature.ident;
    let Job { name, fields, .. } = job;
    let text = LitStr::new(&name.to_string(), Span::call_site());
    let schedule = args.schedule.expand(name);
    let ctx = Ident::new("__asynq_ctx", Span::mixed_site());

    // A job without arguments runs on any payload: Go programs send such tasks with none at all.
    let decode = (!fields.is_empty()).then(|| {
        let fields = fields.iter().map(|Field { position, name, .. }| {
            let local = local(*position);
            quote!(#name: #local)
        });
        quote!(let #name { #(#fields),* } = __asynq::decode::<#name>(&#ctx)?;)
    });
    let injected: Vec<_> = call.arguments.iter().enumerate().filter_map(injected).collect();
    let impls = injected.iter().map(|(position, ty)| {
        quote! {
            impl __asynq::Injected<#position> for __AsynqJob {
                type Value = #ty;
            }
        }
    });
    let extract = injected.iter().map(|(position, _)| {
        let local = local(*position);
        quote!(let #local = __asynq::extract::<__AsynqJob, #position>(&#ctx).await?;)
    });
    let requires = injected.iter().map(|(position, _)| quote!(__asynq::requirement::<__AsynqJob, #position>));
    let arguments = call.arguments.iter().enumerate().map(|(position, argument)| {
        let lend = argument.lent.then(|| quote!(&));
        let local = local(position);
        quote!(#lend #local)
    });
    let into_outcome = outcome(&call.output, "into_outcome");
    let (_, end) = types::ends(&call.output);
    let run = quote_spanned!(end=> #into_outcome(#function(#(#arguments),*).await));
    // A future that is not `Send` is reported at this call.
    let future = quote_spanned! {at_function(item)=>
        __asynq::boxed(async move {
            #decode
            #(#extract)*
            #run
        })
    };
    let concurrency = optional(args.concurrency.as_ref());
    let retry_policy = optional(args.backoff.as_ref().map(|policy| quote!(|| #policy)));
    let on_cancel = optional(args.on_cancel.as_ref());
    let (layer_fn, layer) = layer(args, name).unzip();
    let layer = optional(layer);
    quote! {
        #(#impls)*
        #layer_fn

        fn __asynq_run(#ctx: __asynq::Ctx) -> __asynq::BoxFuture<'static, __asynq::HandlerResult> {
            #future
        }

        __asynq::inventory::submit! {
            __asynq::Registration {
                name: <#name as __asynq::Job>::NAME,
                job: #text,
                options: <#name as __asynq::Job>::OPTIONS,
                schedule: #schedule,
                file: ::core::file!(),
                line: ::core::line!(),
                run: __asynq_run,
                requires: &[#(#requires),*],
                concurrency: #concurrency,
                retry_policy: #retry_policy,
                on_cancel: #on_cancel,
                layer: #layer,
            }
        }
    }
}

/// The function that puts the job's middleware around its handler, its rate limit the outermost, and its name. What is
/// no middleware is reported where it is written.
fn layer(args: &Args, job: &Ident) -> Option<(TokenStream, Ident)> {
    if args.layer.is_none() && args.rate.is_none() {
        return None;
    }
    let layered = args.layer.as_ref().map(|expr| {
        quote_spanned!(expr.span()=> let __asynq_handler = __asynq::layered(__asynq_handler, &(#expr));)
    });
    let limited = args.rate.as_ref().map(|rate| {
        let Rate { most, seconds } = rate;
        let name = quote!(<#job as __asynq::Job>::NAME);
        quote!(let __asynq_handler = __asynq::rate_limited(__asynq_handler, #name, #most, #seconds);)
    });
    let name = Ident::new("__asynq_layer", Span::mixed_site());
    let function = quote! {
        fn #name(__asynq_handler: __asynq::Handler) -> __asynq::Handler {
            #layered
            #limited
            __asynq_handler
        }
    };
    Some((function, name))
}

/// `Some(value)` or `None`.
fn optional(value: Option<impl ToTokens>) -> TokenStream {
    let Some(value) = value else { return quote!(::core::option::Option::None) };
    quote!(::core::option::Option::Some(#value))
}

/// The variable with the value of a parameter. Hygienic: the user's code cannot see it.
fn local(position: usize) -> Ident {
    format_ident!("__asynq_argument_{position}", span = Span::mixed_site())
}

fn injected<'a>((position, argument): (usize, &Argument<'a>)) -> Option<(usize, &'a Type)> {
    match argument.source {
        Source::Payload => None,
        Source::Context(ty) => Some((position, ty)),
    }
}
