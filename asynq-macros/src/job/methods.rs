//! `#[job] impl Resize { async fn run(&self, …) { … } }`: a struct of the user's own that is a job, and its handler in
//! one.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{ImplItem, ImplItemFn, ItemImpl, ReceiverKind, Visibility};

use super::args::Args;
use super::argument::{self, Argument, Role, Source};
use super::check::{Call, Job};
use super::signature;
use super::{contract, expand, item, payload, schema, types};
use crate::errors::Errors;
use crate::render::render;

/// The block, if that is what the attribute stands on.
pub(super) fn parse(tokens: &TokenStream) -> Option<ItemImpl> {
    syn::parse2(tokens.clone()).ok()
}

/// The whole expansion; the tokens as they came where nothing can be made of them.
pub(super) fn expand_methods(
    args: &Args,
    mut block: ItemImpl,
    tokens: TokenStream,
    errors: &mut Errors,
) -> TokenStream {
    let before = errors.count();
    if let Some((path, _)) = &block.trait_ {
        errors.at(
            path,
            "`#[job]` goes on an `impl` of a struct's own: `impl Resize { async fn run(&self) { … } }`",
        );
        return tokens;
    }
    args.check_method(errors);
    signature::generics(&block.generics, errors);
    let ty = (*block.self_ty).clone();
    let attrs: Vec<_> = block.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
    let Some(name) = types::last_segment(&ty).map(|segment| segment.ident.clone()) else {
        errors.at(&ty, "a job is a struct of yours: write its name");
        return tokens;
    };
    let Some(method) = method(&mut block, errors) else { return tokens };
    let parameters = item::parameters(&mut method.sig.inputs);
    let signature = &method.sig;
    signature::qualifiers(signature, args.blocking.as_ref(), errors);
    signature::generics(&signature.generics, errors);
    let output = signature::output(signature, args.blocking.is_some(), errors);
    let lent =
        matches!(signature.receiver().map(|receiver| &receiver.kind), Some(ReceiverKind::Reference(..)));
    let mut arguments = vec![Argument { source: Source::Payload, lent }];
    for parameter in &parameters {
        match argument::role(parameter, errors) {
            Some(Role::Context) => arguments.extend(argument::injected(parameter, errors)),
            Some(Role::Payload) => {
                let message = format!(
                    "what is in the payload is a field of `{name}`; an argument here is given by the worker: \
                     `State<{}>`, or `#[extract]` before a type that implements `FromContext`",
                    render(types::peel(&parameter.ty))
                );
                errors.at(&parameter.ty, message);
            }
            None => {}
        }
    }
    let function = signature.ident.clone();
    if errors.count() > before {
        return block.into_token_stream();
    }
    let task_type = contract::snake_case(&name.to_string());
    let output_of = expand::outcome(&output, "Output");
    let job = Job {
        name: name.clone(),
        task_type: task_type.clone(),
        whole: Some(0),
        fields: Vec::new(),
        call: None,
    };
    let call = Call { arguments, output };
    let path = quote!(<#ty>::#function);
    let ty_tokens = ty.to_token_stream();
    let registration = expand::registration(args, &function, &path, &job, &call, &ty_tokens);
    let shape = payload::value_shape(&name.to_string());
    let encoding = args.encoding.items(false);
    let unique_by = args.unique.fields(None, None);
    let schema = schema::of(&ty_tokens);
    let items = quote!(#encoding #schema type Output = #output_of;);
    let job_impl = expand::job_impl(args, &name, &task_type, &shape, &unique_by, &items);
    let enqueue = expand::enqueue(&Visibility::Public(syn::token::Pub(Span::call_site())));
    let import = args.krate.import();
    quote! {
        #block

        #(#attrs)*
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            #import
            enum __AsynqJob {}
            #job_impl

            #[allow(dead_code, unreachable_pub)]
            impl #ty {
                #enqueue
            }

            #registration
        };
    }
}

/// The function that runs the job: the only one with `self`.
fn method<'a>(block: &'a mut ItemImpl, errors: &mut Errors) -> Option<&'a mut ImplItemFn> {
    let place = block.self_ty.to_token_stream();
    let functions = block.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(function) if function.sig.receiver().is_some() => Some(function),
        _ => None,
    });
    let mut functions: Vec<_> = functions.collect();
    if let [_, second, ..] = &functions[..] {
        let message =
            "a job has one function with `self`, which runs it: move this one to an `impl` without `#[job]`";
        errors.at(&second.sig.ident, message);
        return None;
    }
    let Some(function) = functions.pop() else {
        errors.at(place, "write the function that runs the job: `async fn run(&self) { … }`");
        return None;
    };
    let wrong = matches!(
        function.sig.receiver().map(|receiver| &receiver.kind),
        Some(ReceiverKind::Reference(_, _, Some(_)) | ReceiverKind::Typed(..))
    );
    if wrong {
        errors.at(
            function.sig.receiver(),
            "a job is lent to its function, or given to it: write `&self`, `self` or `mut self`",
        );
    }
    Some(function)
}
