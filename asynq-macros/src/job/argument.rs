//! What one parameter of a job's function is: a [`Field`] of the payload, or given by the worker.

use syn::{Attribute, Ident, Pat, Type};

use super::item::{Item, Parameter};
use super::types;
use crate::errors::Errors;
use crate::render::render;

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

/// Where a parameter's value comes from.
pub(super) enum Role {
    Payload,
    Context,
}

/// What a parameter is by its attributes and its type.
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
pub(super) fn of_field(parameter: &Parameter) -> impl Iterator<Item = &Attribute> {
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
pub(super) fn field(
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
pub(super) fn lent_type<'a>(ty: &'a Type, errors: &mut Errors) -> Option<(&'a Type, bool)> {
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
