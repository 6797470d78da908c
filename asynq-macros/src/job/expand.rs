//! What comes out: the function as it was, the struct beside it, and all the rest inside `const _: () = { … };`,
//! where no name can clash with the user's.
//!
//! The rest finds the runtime as `__asynq`. Types keep the places that the user gave them, so that errors point
//! there.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, LitStr, Type, Visibility, parse_quote};

use super::args::Args;
use super::argument::{Argument, Field, Source};
use super::check::{Call, Job};
use super::encoding::Encoding;
use super::item::Item;
use super::payload;
use super::rate::Rate;
use super::unique::UniqueBy;
use super::{schema, types};
use crate::render::render;

/// The whole expansion.
pub(super) fn expand(args: &Args, item: &Item, job: Option<&Job<'_>>) -> TokenStream {
    let function = item.function();
    let Some(job) = job else { return function };
    if let Some(handled) = &args.handles {
        return handler(args, item, job, handled);
    }
    let structure = structure(args, item, job);
    let cfgs = item.attrs_named(&["cfg"]);
    let import = args.krate.import();
    let wire = payload::wire(args, item, job);
    let trait_impl = trait_impl(args, job);
    let methods = methods(item, job);
    let ty = job.name.to_token_stream();
    let registration = job.call.as_ref().map(|call| {
        registration(args, &item.signature.ident, &item.signature.ident.to_token_stream(), job, call, &ty)
    });
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

/// The expansion of a handler for a job that is defined elsewhere. What is known of the handler belongs to a type of the
/// function's name, which `jobs!` can name: the job may be another crate's.
fn handler(args: &Args, item: &Item, job: &Job<'_>, handled: &Type) -> TokenStream {
    let function = item.function();
    let Some(call) = &job.call else { return function };
    let cfgs: Vec<_> = item.attrs_named(&["cfg"]).collect();
    let import = args.krate.import();
    let vis = &item.vis;
    let marker = Ident::new(&job.name.to_string(), at_function(item));
    let output = &call.output;
    let (first, last) = types::ends(output);
    let start = quote_spanned!(first=> const);
    let returns = quote_spanned!(last=> #start _: () = __asynq::returns::<#handled, #output>(););
    let registration = registration(
        args,
        &item.signature.ident,
        &item.signature.ident.to_token_stream(),
        job,
        call,
        &handled.to_token_stream(),
    );
    quote! {
        #function

        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_debug_implementations, missing_copy_implementations)]
        #[allow(dead_code, unreachable_pub)]
        #vis enum #marker {}

        #(#cfgs)*
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            #import
            enum __AsynqJob {}
            #returns
            #registration
        };
    }
}

/// The struct. Unless told otherwise it implements serde's traits and nothing else: each further derive would ask
/// something of every argument, and `Debug` would put people's data into logs.
fn structure(args: &Args, item: &Item, job: &Job<'_>) -> TokenStream {
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
    let derives = &args.derives;
    let derive = (!derives.is_empty()).then(|| quote!(#[derive(#(#derives),*)]));
    quote! {
        #docs
        #(#attrs)*
        #derive
        #[allow(missing_debug_implementations, missing_copy_implementations)]
        // What these say of the function need not be said again.
        #[allow(private_interfaces, unreachable_pub, unused_qualifications)]
        #vis #body
    }
}

/// The place of the function's name, for tokens of our own: what is wrong with the struct is reported there, and
/// lints see that a macro made it.
fn at_function(item: &Item) -> Span {
    at(&item.signature.ident)
}

fn at(name: &Ident) -> Span {
    Span::call_site().located_at(name.span())
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

/// `impl Job` for the struct of a function.
fn trait_impl(args: &Args, job: &Job<'_>) -> TokenStream {
    let Job { name, task_type, fields, call, .. } = job;
    let unit: Type = parse_quote!(());
    let output = call.as_ref().map_or(&unit, |call| &call.output);
    let (first, last) = types::ends(output);
    let value = outcome(output, "Output");
    let start = quote_spanned!(first=> type);
    let output = quote_spanned!(last=> #start Output = #value;);
    let encoding = match call {
        Some(_) => args.encoding.items(job.encoded(args).is_some()),
        None => Encoding::default().items(false),
    };
    // Which is all of the payload where the codec is given the argument itself.
    let (unique_by, schema) = if let Some(Field { ty, .. }) = args.encoded(fields) {
        (UniqueBy::default(), schema::of(&ty.to_token_stream()))
    } else {
        let by = args.unique.fields(Some(fields), args.rename_all.as_ref());
        (by, schema::of(&quote!(__AsynqPayload)))
    };
    job_impl(
        args,
        name,
        task_type,
        &payload::shape(args, fields),
        &unique_by,
        &quote!(#encoding #schema #output),
    )
}

/// `impl Job`, with these items: its encoding and its output.
pub(super) fn job_impl(
    args: &Args,
    job: &Ident,
    task_type: &str,
    shape: &TokenStream,
    unique_by: &UniqueBy<'_>,
    items: &TokenStream,
) -> TokenStream {
    let Args { name, setters, .. } = args;
    let shared = args.defaults.as_ref().map_or_else(
        || quote!(__asynq::JobOptions::new()),
        |shared| quote_spanned!(shared.span()=> (#shared)),
    );
    let has_time = args.defaults.as_ref().and(args.unique.without_time()).map(|(option, place)| {
        quote_spanned!(place=> const _: () = __asynq::assert_unique(&<#job as __asynq::Job>::OPTIONS, #option);)
    });
    let task_type = name.clone().unwrap_or_else(|| LitStr::new(task_type, Span::call_site()));
    let (unique_names, unique_by) = (unique_by.setter(), unique_by.method());
    quote! {
        impl __asynq::Job for #job {
            const NAME: &'static str = #task_type;
            const OPTIONS: __asynq::JobOptions = #shared #setters #unique_names;
            const PAYLOAD: __asynq::PayloadShape = #shape;
            #items
            #unique_by
        }

        #has_time
    }
}

/// `<ty as IntoOutcome>::item`. A type that is no outcome is an error wherever this stands; the compiler shows errors
/// of one text at one place once, so everything here starts and ends where the type does.
pub(super) fn outcome(ty: &Type, item: &str) -> TokenStream {
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
    let enqueue = enqueue(vis);
    quote_spanned! {at_function(item)=>
        #[allow(dead_code, private_interfaces, unreachable_pub)]
        #[allow(clippy::too_many_arguments, clippy::used_underscore_binding)]
        impl #name {
            /// The job with these arguments. Nothing is enqueued yet.
            #[must_use]
            #vis fn new(#(#parameters),*) -> Self {
                Self { #(#values),* }
            }

            #enqueue
        }
    }
}

/// `enqueue`, for an inherent `impl`.
pub(super) fn enqueue(vis: &Visibility) -> TokenStream {
    quote! {
        /// Enqueues the job: set options on what this returns, then `.await` it.
        #vis fn enqueue(
            self,
            client: &(impl __asynq::AsClient + ?::core::marker::Sized),
        ) -> __asynq::Enqueue<'_, Self> {
            __asynq::Enqueue::new(self, client)
        }
    }
}

/// The handler of the job `ty`, and its entry in the list of all jobs. It calls `function`, whose name is at `place`.
pub(super) fn registration(
    args: &Args,
    place: &Ident,
    function: &TokenStream,
    job: &Job<'_>,
    call: &Call<'_>,
    ty: &TokenStream,
) -> TokenStream {
    let Job { name, fields, .. } = job;
    let text = LitStr::new(&render(ty), Span::call_site());
    let ctx = Ident::new("__asynq_ctx", Span::mixed_site());

    // A job without arguments runs on any payload: Go programs send such tasks with none at all.
    let decode = (!fields.is_empty()).then(|| {
        let fields = fields.iter().map(|Field { position, name, .. }| {
            let local = local(*position);
            quote!(#name: #local)
        });
        quote!(let #name { #(#fields),* } = __asynq::decode::<#name>(&#ctx)?;)
    });
    let decode = decode.or_else(|| {
        let local = local(job.whole?);
        Some(quote!(let #local = __asynq::decode::<#ty>(&#ctx)?;))
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
    let run = if args.blocking.is_some() {
        let run = quote_spanned!(end=> #into_outcome(#function(#(#arguments),*)));
        quote!(__asynq::blocking(#ctx, move || #run).await)
    } else {
        quote_spanned!(end=> #into_outcome(#function(#(#arguments),*).await))
    };
    // A future that is not `Send` is reported at this call.
    let future = quote_spanned! {at(place)=>
        __asynq::boxed(async move {
            #decode
            #(#extract)*
            #run
        })
    };
    let (layer_fn, layer) = args.layer.as_ref().map(layer).unzip();
    let told = told(args, ty, &requires.collect::<Vec<_>>(), layer.as_ref());
    let submit = (!args.unregistered).then(|| {
        quote! {
            __asynq::inventory::submit! {
                <#name as __asynq::HasHandler>::REGISTRATION
            }
        }
    });
    quote! {
        #(#impls)*
        #layer_fn

        fn __asynq_run(#ctx: __asynq::Ctx) -> __asynq::BoxFuture<'static, __asynq::HandlerResult> {
            #future
        }

        impl __asynq::HasHandler for #name {
            const REGISTRATION: __asynq::Registration =
                __asynq::Registration::of::<#ty>(#text, ::core::file!(), ::core::line!(), __asynq_run)#told;
        }

        #submit
    }
}

/// Calls on `Registration` that tell what is said about running the job; `layer` is that of its middleware.
fn told(
    args: &Args,
    job: &TokenStream,
    requires: &[TokenStream],
    layer: Option<&TokenStream>,
) -> TokenStream {
    let some = |list: TokenStream| (!list.is_empty()).then_some(list);
    let aliases = &args.aliases;
    let aliases = some(quote!(#(#aliases),*)).map(|names| quote!(.aliases(&[#names])));
    let requires = some(quote!(#(#requires),*)).map(|requires| quote!(.requires(&[#requires])));
    let schedule = args.schedule.expand(job).map(|schedule| quote!(.schedule(#schedule)));
    let concurrency = args.concurrency.as_ref().map(|tasks| quote!(.concurrency(#tasks)));
    let rate = args.rate.as_ref().map(|Rate { most, seconds }| quote!(.rate(#most, #seconds)));
    let blocking = args.blocking.as_ref().map(|_| quote!(.blocking()));
    let retry_policy = args.backoff.as_ref().map(|policy| quote!(.retry_policy(|| #policy)));
    let on_cancel = args.on_cancel.as_ref().map(|fate| quote!(.on_cancel(#fate)));
    quote!(#aliases #requires #schedule #concurrency #rate #blocking #retry_policy #on_cancel #layer)
}

/// The function that puts the job's middleware around its handler, and the call that tells of it. What is no middleware
/// is reported where it is written.
fn layer(expr: &Expr) -> (TokenStream, TokenStream) {
    let name = Ident::new("__asynq_layer", Span::mixed_site());
    let layered = quote_spanned!(expr.span()=> __asynq::layered(__asynq_handler, &(#expr)));
    let function = quote! {
        fn #name(__asynq_handler: __asynq::Handler) -> __asynq::Handler {
            #layered
        }
    };
    let text = render(expr);
    (function, quote!(.layer(#text, #name)))
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
