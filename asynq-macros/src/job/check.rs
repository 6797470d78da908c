//! [`Job`]: what an item becomes, once everything that is wrong with it has been said.
//!
//! Every message says what is allowed instead. What is wrong is left out of the [`Job`], so that the rest still
//! comes out and one mistake stays one error.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Attribute, GenericParam, Generics, Ident, LitStr, Pat, ReturnType, Safety, Signature, Type, parse_quote,
    parse_quote_spanned,
};

use super::args::Args;
use super::item::{Item, Parameter};
use super::{schema, types};
use crate::errors::Errors;
use crate::render::render;

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

/// A field of the struct: an argument that travels in the payload.
pub(super) struct Field {
    /// Which parameter it is.
    pub(super) position: usize,
    pub(super) name: Ident,
    pub(super) ty: Type,
    pub(super) docs: Vec<Attribute>,
    pub(super) serde: Vec<Attribute>,
    pub(super) schemars: Vec<Attribute>,
}

/// How to call the function.
pub(super) struct Call<'a> {
    /// One for each parameter.
    pub(super) arguments: Vec<Argument<'a>>,
    pub(super) output: Type,
}

/// What a parameter is given.
pub(super) struct Argument<'a> {
    pub(super) source: Source<'a>,
    /// Whether it is given by reference.
    pub(super) lent: bool,
}

/// Where the value of an argument comes from.
pub(super) enum Source<'a> {
    /// The field of the same position.
    Payload,
    /// `FromContext` of this type.
    Context(&'a Type),
}

/// Judges an item. Without a [`Job`] nothing but the function itself can come out.
pub(super) fn check<'a>(item: &'a Item, args: &Args, errors: &mut Errors) -> Option<Job<'a>> {
    let signature = &item.signature;
    if let Some(receiver) = signature.receiver() {
        let message = "a job is a free function: move it out of the `impl`, and take what it needs from `self` as an \
                       argument, `State<T>` for what all runs share";
        errors.at(receiver, message);
        return None;
    }
    let name = match &args.structure {
        Some(name) => name.clone(),
        None if args.handles.is_some() => signature.ident.clone(),
        None => struct_name(&signature.ident, errors)?,
    };
    let before = errors.count();
    qualifiers(signature, args.blocking.as_ref(), errors);
    generics(&signature.generics, errors);
    let output = output(signature, args.blocking.is_some(), errors);

    let mut whole = None;
    let mut fields = Vec::new();
    let mut arguments = Vec::new();
    let generic: Vec<&Ident> = signature
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    for (position, parameter) in item.parameters.iter().enumerate() {
        match role(parameter, errors) {
            Some(Role::Context) => arguments.extend(injected(parameter, errors)),
            // A field of a type that only the function knows would be an error of its own.
            Some(Role::Payload) if args.handles.is_some() => {
                let Some((_, lent)) = lent_type(&parameter.ty, errors) else { continue };
                if whole.replace(position).is_some() {
                    let message = "the handler of a job that is defined elsewhere takes the job itself, once: read its \
                                   fields from there";
                    errors.at(&parameter.ty, message);
                }
                for attr in of_field(parameter) {
                    errors.at(attr, "attributes of serde and schemars belong to the fields of the job, where it is defined");
                }
                arguments.push(Argument { source: Source::Payload, lent });
            }
            Some(Role::Payload) if types::mentions(parameter.ty.to_token_stream(), &generic) => {}
            Some(Role::Payload) => {
                let Some((name, ty, lent)) = field(parameter, item, &name, errors) else { continue };
                let Parameter { docs, serde, schemars, .. } = parameter.clone();
                schema::check(&schemars, errors);
                fields.push(Field { position, name, ty, docs, serde, schemars });
                arguments.push(Argument { source: Source::Payload, lent });
            }
            None => {}
        }
    }
    if let Some(flag) = args.transparent.as_ref().filter(|_| fields.len() != 1 && errors.count() == before) {
        let message = format!(
            "a transparent job has one argument in the payload, which is the payload; this one has {}",
            fields.len()
        );
        errors.at(flag, message);
    }
    if let Some(field) = args.encoded(&fields) {
        for attr in &field.serde {
            errors.at(
                attr,
                "the codec is given this argument itself, not what serde makes of it: leave this out",
            );
        }
        if let Some(option) = args.given("rename_all") {
            errors.at(
                option,
                "there are no names to write: the payload is the argument itself; leave this out",
            );
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
    let task_type = signature.ident.unraw().to_string();
    let own = args.name.as_ref().map_or_else(|| task_type.clone(), LitStr::value);
    if args.handles.is_some() && whole.is_none() && errors.count() == before {
        let message = "a handler takes its job as an argument: add one, such as `task: SendEmail` or `task: &SendEmail`";
        errors.at(&signature.ident, message);
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

/// `send_email` → `SendEmail`.
fn struct_name(function: &Ident, errors: &mut Errors) -> Option<Ident> {
    let name = pascal_case(&function.unraw().to_string());
    if syn::parse_str::<Ident>(&name).is_err() {
        errors.at(
            function,
            format!(
                "the struct of this job would be called `{name}`, which is not a name; rename the function, or write \
                 `struct = \"…\"`"
            ),
        );
        return None;
    }
    // At the function's name: that is where a clash with another type is to be reported.
    Some(Ident::new(&name, function.span()))
}

fn pascal_case(snake_case: &str) -> String {
    let mut name = String::new();
    for word in snake_case.split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase).chain(letters));
    }
    name
}

/// What stands before `fn`.
pub(super) fn qualifiers(signature: &Signature, blocking: Option<&Ident>, errors: &mut Errors) {
    match (blocking, &signature.asyncness) {
        (None, None) => {
            let message = format!(
                "`#[job]` needs an `async fn`: write `async fn {}`; for work that blocks its thread write \
                 `#[job(blocking)]`",
                signature.ident,
            );
            errors.at(signature.fn_token, message);
        }
        (Some(flag), Some(_)) => {
            let message = format!(
                "a blocking job is a plain function, which runs on a thread for such work: write `fn {}`, or leave \
                 `blocking` out",
                signature.ident,
            );
            errors.at(flag, message);
        }
        _ => {}
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        let message = "a job cannot be `unsafe`: a worker calls it with whatever its queue holds; check the arguments \
                       and put an `unsafe` block inside";
        errors.at(unsafety, message);
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a job has no ABI of its own: workers call it from Rust; leave `extern` out");
    }
}

pub(super) fn generics(generics: &Generics, errors: &mut Errors) {
    let Generics { params, where_clause, .. } = generics;
    if params.iter().any(|param| !matches!(param, GenericParam::Lifetime(_))) {
        let message = "a job cannot be generic: a worker finds it by its task type alone, so the types of its \
                       arguments must be fixed; for a part that is exchanged take `State<Arc<dyn Trait>>`";
        errors.at(params, message);
    } else if !params.is_empty() {
        let message = "a job has no lifetime parameters: its arguments are lent to it for one run; write `&str` \
                       instead of `&'a str`, without the `<'a>`";
        errors.at(params, message);
    } else if let Some(clause) = where_clause {
        errors.at(clause, "a job has no `where` clause: nothing in it is generic");
    }
}

/// The return type.
pub(super) fn output(signature: &Signature, blocking: bool, errors: &mut Errors) -> Type {
    let ty = match &signature.output {
        ReturnType::Type(_, ty) => types::peel(ty),
        ReturnType::Default => return parse_quote_spanned!(signature.ident.span()=> ()),
    };
    if signature.asyncness.is_none() && !blocking {
        // Perhaps a future: what an `async fn` would return is not written here.
        return parse_quote!(());
    }
    if matches!(ty, Type::Never(_)) {
        errors.at(ty, "a job comes to an end: return `()` or `Result<T, E>`");
        return parse_quote!(());
    }
    let mut owned = ty.clone();
    let found = types::make_owned(&mut owned);
    if let Some(impl_trait) = found.impl_trait {
        let message = "name the type: what a job returns is stored as its result, and read back as that type";
        errors.at(impl_trait, message);
    } else if found.borrow && signature.generics.params.is_empty() {
        let message = format!(
            "a job returns what it owns, for its result outlives its arguments: write `{}`",
            render(&owned)
        );
        errors.at(ty, message);
    }
    ty.clone()
}

/// Where a parameter's value comes from.
pub(super) enum Role {
    Payload,
    Context,
}

pub(super) fn role(parameter: &Parameter, errors: &mut Errors) -> Option<Role> {
    let before = errors.count();
    for attr in &parameter.cfg {
        let message = "an argument of a job cannot depend on `cfg`: programs built in different ways could not read \
                       each other's payloads; make it an `Option` or put the `cfg` into the body";
        errors.at(attr, message);
    }
    for attr in &parameter.roles {
        if attr.meta.require_path_only().is_err() {
            let name = render(attr.path());
            errors.at(attr, format!("`#[{name}]` has no options: write just `#[{name}]`"));
        }
    }
    if let [first, second, ..] = &parameter.roles[..] {
        let (first, name) = (render(first.path()), render(second.path()));
        let message = if first == name {
            format!("`#[{name}]` is given twice")
        } else {
            format!(
                "`#[{name}]` beside `#[{first}]`: an argument is either in the payload (`#[arg]`) or given by the \
                 worker (`#[state]`, `#[extract]`); keep one"
            )
        };
        errors.at(second, message);
    }
    if errors.count() > before {
        return None;
    }
    match parameter.roles.first() {
        Some(attr) if attr.path().is_ident("arg") => Some(Role::Payload),
        Some(_) => Some(Role::Context),
        None if is_given(&parameter.ty) => Some(Role::Context),
        None => Some(Role::Payload),
    }
}

/// The attributes that say how a field is written.
fn of_field(parameter: &Parameter) -> impl Iterator<Item = &Attribute> {
    parameter.serde.iter().chain(&parameter.schemars)
}

/// Whether a type has the name of something that the worker gives.
pub(crate) fn is_given(ty: &Type) -> bool {
    let ty = match types::peel(ty) {
        Type::Reference(reference) => &reference.elem,
        ty => ty,
    };
    let ty = types::argument_of(ty, "Option").unwrap_or(ty);
    types::is_named(ty, "Ctx") || types::argument_of(ty, "State").is_some()
}

/// An argument that the worker gives.
pub(super) fn injected<'a>(parameter: &'a Parameter, errors: &mut Errors) -> Option<Argument<'a>> {
    for attr in of_field(parameter) {
        errors.at(attr, "attributes of serde and schemars are for arguments in the payload; this one is given by the worker");
    }
    let (ty, lent) = lent_type(&parameter.ty, errors)?;
    if let Some(impl_trait) = types::make_owned(&mut ty.clone()).impl_trait {
        errors.at(
            impl_trait,
            "name the type: an argument of a job cannot be `impl Trait`; take `State<Arc<dyn Trait>>`",
        );
        return None;
    }
    Some(Argument { source: Source::Context(ty), lent })
}

/// The name and the type of the field for an argument in the payload, and whether the field is lent.
fn field(
    parameter: &Parameter,
    item: &Item,
    job: &Ident,
    errors: &mut Errors,
) -> Option<(Ident, Type, bool)> {
    let name = field_name(parameter, job, errors);
    let (ty, lent) = lent_type(&parameter.ty, errors)?;
    if let Type::TraitObject(_) = ty {
        let message = "a trait object cannot be made from a payload: name the type, or take what all runs share as \
                       `State<Arc<dyn Trait>>`";
        errors.at(&parameter.ty, message);
        return None;
    }
    let mut owned = ty.clone();
    let found = types::make_owned(&mut owned);
    if let Some(impl_trait) = found.impl_trait {
        let message =
            "name the type: an argument of a job is a field of a struct, and cannot be `impl Trait`";
        errors.at(impl_trait, message);
        return None;
    }
    // With lifetime parameters, those are the mistake.
    if found.borrow && item.signature.generics.params.is_empty() {
        let message = format!(
            "a job owns its arguments, and lends at most a whole one, such as `&str`: write `{}{}`",
            if lent { "&" } else { "" },
            render(&owned)
        );
        errors.at(&parameter.ty, message);
    }
    let ty = if lent { types::owner(&owned) } else { owned };
    Some((name?, ty, lent))
}

/// The name of an argument in the payload.
fn field_name(parameter: &Parameter, job: &Ident, errors: &mut Errors) -> Option<Ident> {
    match &parameter.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(pat.ident.clone()),
        pat => {
            let message = format!(
                "an argument in the payload needs a plain name, for it becomes a field of `{job}`: write `name: {}` \
                 and take it apart in the body; a pattern is for what the worker gives, such as \
                 `State(db): State<Db>`, or what is marked `#[extract]`",
                render(&parameter.ty)
            );
            errors.at(pat, message);
            None
        }
    }
}

/// A type without the `&` before it, and whether there was one.
fn lent_type<'a>(ty: &'a Type, errors: &mut Errors) -> Option<(&'a Type, bool)> {
    let Type::Reference(reference) = types::peel(ty) else { return Some((types::peel(ty), false)) };
    let elem = types::peel(&reference.elem);
    if reference.mutability.is_some() {
        let message = format!(
            "an argument of a job is lent to be read: write `mut name: {}` to own it, or `&{}`",
            render(types::short_owner(elem)),
            render(elem)
        );
        errors.at(ty, message);
        return None;
    }
    if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static") {
        let message = format!(
            "an argument of a job lives as long as the run, not `'static`: write `&{}`",
            render(elem)
        );
        errors.at(ty, message);
        return None;
    }
    Some((elem, true))
}

#[cfg(test)]
mod tests {
    use super::pascal_case;

    #[test]
    fn a_struct_is_named_after_its_function() {
        for (function, name) in [
            ("send_email", "SendEmail"),
            ("resize", "Resize"),
            ("_hidden", "Hidden"),
            ("http2_get", "Http2Get"),
            ("sendEmail", "SendEmail"),
            ("élan", "Élan"),
        ] {
            assert_eq!(pascal_case(function), name);
        }
    }
}
