//! [`Job`]: what an item becomes, once everything that is wrong with it has been said.
//!
//! Every message says what is allowed instead. What is wrong is left out of the [`Job`], so that the rest still
//! comes out and one mistake stays one error.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{GenericParam, Generics, Ident, LitStr, Type};

use super::args::Args;
use super::argument::{self, Argument, Field, Role, Source};
use super::item::{Item, Parameter};
use super::{schema, signature, types};
use crate::errors::Errors;

/// What an item becomes.
pub(super) struct Job<'a> {
    /// The struct.
    pub(super) name: Ident,
    /// The task type, unless the attribute names another.
    pub(super) task_type: String,
    /// The parameter that is the whole job, of a handler for one that is defined elsewhere.
    pub(super) whole: Option<usize>,
    pub(super) fields: Vec<Field>,
    /// How to call the function; nothing when something is wrong with it.
    pub(super) call: Option<Call<'a>>,
}

impl Job<'_> {
    /// The argument that is the payload, as the job's codec encodes it. With a mistake in the function there is none: what
    /// a codec asks of its arguments could be another one.
    pub(super) fn encoded(&self, args: &Args) -> Option<&Field> {
        self.call.as_ref().and(args.encoded(&self.fields))
    }
}

/// How to call the function.
pub(super) struct Call<'a> {
    /// One for each parameter.
    pub(super) arguments: Vec<Argument<'a>>,
    pub(super) output: Type,
}

/// Judges an item. Without a [`Job`] nothing but the function itself can come out.
pub(super) fn check<'a>(item: &'a Item, args: &Args, errors: &mut Errors) -> Option<Job<'a>> {
    let function = &item.signature;
    if let Some(receiver) = function.receiver() {
        let message = "a job is a free function: move it out of the `impl`, and take what it needs from `self` as an \
                       argument, `State<T>` for what all runs share";
        errors.at(receiver, message);
        return None;
    }
    let name = match &args.structure {
        Some(name) => name.clone(),
        None if args.handles.is_some() => function.ident.clone(),
        None => signature::struct_name(&function.ident, errors)?,
    };
    let before = errors.count();
    signature::qualifiers(function, args.blocking.as_ref(), errors);
    signature::generics(&function.generics, errors);
    let output = signature::output(function, args.blocking.is_some(), errors);

    let Taken { whole, fields, arguments } = Taken::of(item, args, &name, errors);
    if let Some(flag) = args.transparent.as_ref().filter(|_| fields.len() != 1 && errors.count() == before) {
        let message = format!(
            "a transparent job has one argument in the payload, which is the payload; this one has {}",
            fields.len()
        );
        errors.at(flag, message);
    }
    if let Some(field) = args.encoded(&fields) {
        check_encoded(field, args, errors);
    }
    let task_type = function.ident.unraw().to_string();
    let own = args.name.as_ref().map_or_else(|| task_type.clone(), LitStr::value);
    if args.handles.is_some() && whole.is_none() && errors.count() == before {
        let message = "a handler takes its job as an argument: add one, such as `task: SendEmail` or `task: &SendEmail`";
        errors.at(&function.ident, message);
    }
    for alias in args.aliases.iter().filter(|alias| alias.value() == own) {
        errors.at(
            alias,
            "this is the name of the job itself: an alias is another one, such as an earlier name",
        );
    }
    let call = (errors.count() == before).then_some(Call { arguments, output });
    Some(Job { name, task_type, whole, fields, call })
}

/// What the parameters of the function are given.
#[derive(Default)]
struct Taken<'a> {
    /// The parameter that is the whole job, of a handler for one that is defined elsewhere.
    whole: Option<usize>,
    fields: Vec<Field>,
    arguments: Vec<Argument<'a>>,
}

impl<'a> Taken<'a> {
    fn of(item: &'a Item, args: &Args, job: &Ident, errors: &mut Errors) -> Self {
        let mut taken = Self::default();
        let generic = named_generics(&item.signature.generics);
        for (position, parameter) in item.parameters.iter().enumerate() {
            match argument::role(parameter, errors) {
                Some(Role::Context) => taken.arguments.extend(argument::injected(parameter, errors)),
                // A field of a type that only the function knows would be an error of its own.
                Some(Role::Payload) if args.handles.is_some() => taken.job(position, parameter, errors),
                Some(Role::Payload) if types::mentions(parameter.ty.to_token_stream(), &generic) => {}
                Some(Role::Payload) => {
                    let Some((name, ty, lent)) = argument::field(parameter, item, job, errors) else {
                        continue;
                    };
                    let Parameter { docs, serde, schemars, .. } = parameter.clone();
                    schema::check(&schemars, errors);
                    taken.fields.push(Field { position, name, ty, docs, serde, schemars });
                    taken.arguments.push(Argument { source: Source::Payload, lent });
                }
                None => {}
            }
        }
        taken
    }

    /// A parameter that is the job itself, which is defined elsewhere.
    fn job(&mut self, position: usize, parameter: &'a Parameter, errors: &mut Errors) {
        let Some((_, lent)) = argument::lent_type(&parameter.ty, errors) else { return };
        if self.whole.replace(position).is_some() {
            let message = "the handler of a job that is defined elsewhere takes the job itself, once: read its \
                           fields from there";
            errors.at(&parameter.ty, message);
        }
        for attr in argument::of_field(parameter) {
            let message =
                "attributes of serde and schemars belong to the fields of the job, where it is defined";
            errors.at(attr, message);
        }
        self.arguments.push(Argument { source: Source::Payload, lent });
    }
}

/// The names of type and constant parameters.
fn named_generics(generics: &Generics) -> Vec<&Ident> {
    let names = generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) => Some(&param.ident),
        GenericParam::Const(param) => Some(&param.ident),
        GenericParam::Lifetime(_) => None,
    });
    names.collect()
}

/// Refuses what means nothing where the codec is given the argument itself.
fn check_encoded(field: &Field, args: &Args, errors: &mut Errors) {
    for attr in &field.serde {
        errors
            .at(attr, "the codec is given this argument itself, not what serde makes of it: leave this out");
    }
    if let Some(option) = args.given("rename_all") {
        errors.at(option, "there are no names to write: the payload is the argument itself; leave this out");
    }
    args.unique.refuse_names(
        "this argument is all of the payload, which `unique_for` compares by itself: leave `unique_by` out",
        errors,
    );
    args.schedule.refuse(
        "a job with a schedule is enqueued without arguments, and this one's payload is its argument: leave out \
         `codec`, `transparent` or the schedule",
        errors,
    );
}
