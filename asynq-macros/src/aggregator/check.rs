//! [`Aggregator`]: what a function becomes, once everything that is wrong with it has been said.

use syn::{ReturnType, Safety, Type, parse_quote_spanned};

use crate::errors::Errors;
use crate::job::argument::is_given;
use crate::job::item::{Item, Parameter};
use crate::job::types;
use crate::render::render;

/// What a function becomes.
pub(super) struct Aggregator<'a> {
    /// The job whose tasks it takes.
    pub(super) job: &'a Type,
    /// One for each parameter.
    pub(super) arguments: Vec<Argument<'a>>,
    pub(super) output: Type,
}

/// What a parameter is given.
pub(super) enum Argument<'a> {
    /// The jobs, or a slice of them.
    Jobs { lent: bool },
    /// The name of the group, owned or not.
    Group { lent: bool },
    /// `FromContext` of this type, perhaps by reference.
    Context { ty: &'a Type, lent: bool },
}

/// Judges a function.
pub(super) fn check<'a>(item: &'a Item, errors: &mut Errors) -> Option<Aggregator<'a>> {
    let signature = &item.signature;
    if let Some(receiver) = signature.receiver() {
        errors.at(receiver, "an aggregator is a free function: move it out of the `impl`, and take `State<T>` for what it shares");
        return None;
    }
    let before = errors.count();
    if signature.asyncness.is_none() {
        let message = format!("`#[aggregator]` needs an `async fn`: write `async fn {}`", signature.ident);
        errors.at(signature.fn_token, message);
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        errors.at(unsafety, "an aggregator cannot be `unsafe`: put an `unsafe` block inside");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "an aggregator has no ABI of its own: leave `extern` out");
    }
    if !signature.generics.params.is_empty() {
        let message = "an aggregator cannot be generic: a server finds it by its job alone; write the types, and `&str` \
                       without a lifetime";
        errors.at(&signature.generics.params, message);
    }
    let mut job = None;
    let mut has_group = false;
    let mut arguments = Vec::new();
    for parameter in &item.parameters {
        let Some(argument) = argument(parameter, errors) else { continue };
        match (&argument, jobs_of(&parameter.ty)) {
            (Argument::Jobs { .. }, Some(ty)) if job.is_none() => job = Some(ty),
            (Argument::Jobs { .. }, _) => {
                errors.at(
                    &parameter.ty,
                    "an aggregator takes the tasks of one job: write another one for these",
                );
            }
            (Argument::Group { .. }, _) if has_group => {
                errors.at(&parameter.ty, "this is the second argument for the name of the group: keep one");
            }
            (Argument::Group { .. }, _) => has_group = true,
            (Argument::Context { .. }, _) => {}
        }
        arguments.push(argument);
    }
    if job.is_none() && errors.count() == before {
        let message = format!(
            "an aggregator takes the jobs of a group: add an argument such as `jobs: Vec<SendEmail>` to `{}`",
            signature.ident
        );
        errors.at(&signature.ident, message);
    }
    let output = match &signature.output {
        ReturnType::Type(_, ty) => types::peel(ty).clone(),
        ReturnType::Default => parse_quote_spanned!(signature.ident.span()=> ()),
    };
    if let Type::Never(never) = &output {
        errors.at(
            never,
            "an aggregator comes to an end: return a job, an `Option` of one, or a `Result` of these",
        );
    }
    if errors.count() > before {
        return None;
    }
    Some(Aggregator { job: job?, arguments, output })
}

/// What a parameter is given, by its marks and by how its type is written.
fn argument<'a>(parameter: &'a Parameter, errors: &mut Errors) -> Option<Argument<'a>> {
    if let Some(attr) = parameter.cfg.first() {
        errors.at(attr, "an argument of an aggregator cannot depend on `cfg`: put the `cfg` into the body");
        return None;
    }
    if let Some(attr) = parameter.serde.first() {
        errors.at(
            attr,
            "serde attributes belong to the arguments of the job: an aggregator is given whole jobs",
        );
        return None;
    }
    let ty = types::peel(&parameter.ty);
    let (inner, lent) = match ty {
        Type::Reference(reference) if reference.mutability.is_some() => {
            let owned = render(types::short_owner(&reference.elem));
            errors.at(
                ty,
                format!(
                    "an aggregator owns its arguments or is lent them to read: write `mut name: {owned}`"
                ),
            );
            return None;
        }
        Type::Reference(reference) => (types::peel(&reference.elem), true),
        ty => (ty, false),
    };
    match parameter.roles.first() {
        Some(attr) if attr.path().is_ident("arg") => {
            errors.at(attr, "`#[arg]` is for the arguments of a job: an aggregator is given whole jobs");
            return None;
        }
        Some(_) => return Some(Argument::Context { ty: inner, lent }),
        None => {}
    }
    if is_given(ty) {
        Some(Argument::Context { ty: inner, lent })
    } else if jobs_of(ty).is_some() {
        Some(Argument::Jobs { lent })
    } else if types::is_named(inner, if lent { "str" } else { "String" }) {
        Some(Argument::Group { lent })
    } else {
        let message = format!(
            "an aggregator is given the jobs of a group (`Vec<SendEmail>`), its name (`&str`), and what the worker gives \
             to jobs (`Ctx`, `State<T>`); for a type that implements `FromContext` mark the argument `#[extract]`, for a \
             value that all share write `State<{}>`",
            render(inner)
        );
        errors.at(&parameter.ty, message);
        None
    }
}

/// The job of `Vec<Job>`, `&[Job]` or `&Vec<Job>`.
fn jobs_of(ty: &Type) -> Option<&Type> {
    match types::peel(ty) {
        Type::Reference(reference) => match types::peel(&reference.elem) {
            Type::Slice(slice) => Some(&slice.elem),
            elem => types::argument_of(elem, "Vec"),
        },
        ty => types::argument_of(ty, "Vec"),
    }
}
