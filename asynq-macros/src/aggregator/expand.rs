//! What comes out: the function as it was, and the rest inside `const _: () = { … };`, where no name can clash with
//! the user's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::LitStr;
use syn::ext::IdentExt;

use super::args::Args;
use super::check::{Aggregator, Argument};
use crate::job::item::Item;
use crate::job::types;

/// The whole expansion.
pub(super) fn expand(args: &Args, item: &Item, aggregator: Option<&Aggregator<'_>>) -> TokenStream {
    let function = item.function();
    let Some(Aggregator { job, arguments, output }) = aggregator else { return function };
    let cfgs = item.attrs_named(&["cfg"]);
    let import = args.krate.import();
    let Args { queue, setters, .. } = args;
    let none = quote!(::core::option::Option::None);
    let queue = queue.as_ref().map_or(none, |name| quote!(::core::option::Option::Some(#name)));
    let ident = &item.signature.ident;
    let name = LitStr::new(&ident.unraw().to_string(), Span::call_site());
    let [ctx, jobs] = ["__asynq_ctx", "__asynq_jobs"].map(|name| Ident::new(name, Span::mixed_site()));

    let injected: Vec<_> = arguments
        .iter()
        .enumerate()
        .filter_map(|(position, argument)| match argument {
            Argument::Context { ty, .. } => Some((position, *ty)),
            Argument::Jobs { .. } | Argument::Group { .. } => None,
        })
        .collect();
    let impls = injected.iter().map(|(position, ty)| {
        quote! {
            impl __asynq::Injected<#position> for __AsynqAggregator {
                type Value = #ty;
            }
        }
    });
    let extract = injected.iter().map(|(position, _)| {
        let local = local(*position);
        quote!(let #local = __asynq::extract::<__AsynqAggregator, #position>(&#ctx).await?;)
    });
    let requires =
        injected.iter().map(|(position, _)| quote!(__asynq::requirement::<__AsynqAggregator, #position>));
    let given = arguments.iter().enumerate().map(|(position, argument)| match argument {
        Argument::Jobs { lent: false } => quote!(#jobs),
        Argument::Jobs { lent: true } => quote!(&#jobs),
        Argument::Group { lent: true } => quote!(__asynq::group_of(&#ctx)),
        Argument::Group { lent: false } => quote!(::std::borrow::ToOwned::to_owned(__asynq::group_of(&#ctx))),
        Argument::Context { lent, .. } => {
            let local = local(position);
            let lend = lent.then(|| quote!(&));
            quote!(#lend #local)
        }
    });
    let (first, last) = types::ends(output);
    let into_aggregated = Ident::new("into_aggregated", last);
    let into_aggregated = quote_spanned!(first=> <#output as __asynq::IntoAggregated>::#into_aggregated);
    let run = quote_spanned!(last=> #into_aggregated(#ident(#(#given),*).await));
    // A future that is not `Send` is reported at this call.
    let at_function = Span::call_site().located_at(ident.span());
    let future = quote_spanned! {at_function=>
        __asynq::boxed_aggregation(async move {
            #(#extract)*
            #run
        })
    };
    let (job_first, job_last) = types::ends(job);
    let job_name = Ident::new("NAME", job_last);
    let job_name = quote_spanned!(job_first=> <#job as __asynq::Job>::#job_name);
    quote! {
        #function

        #(#cfgs)*
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            #import
            // Private, so that types may be as private as the function allows.
            enum __AsynqAggregator {}
            #(#impls)*

            fn __asynq_start(
                #ctx: __asynq::Ctx,
                tasks: ::std::vec::Vec<__asynq::Task>,
            ) -> __asynq::Aggregation {
                __asynq::aggregate(tasks, move |#jobs: ::std::vec::Vec<#job>| #future)
            }

            __asynq::inventory::submit! {
                __asynq::AggregatorRegistration {
                    name: #name,
                    job: #job_name,
                    queue: #queue,
                    settings: __asynq::GroupSettings::new()#setters,
                    file: ::core::file!(),
                    line: ::core::line!(),
                    start: __asynq_start,
                    requires: &[#(#requires),*],
                }
            }
        };
    }
}

/// The variable with the value of a parameter. Hygienic: the user's code cannot see it.
fn local(position: usize) -> Ident {
    format_ident!("__asynq_argument_{position}", span = Span::mixed_site())
}
