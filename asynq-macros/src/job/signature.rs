//! Whether a function's signature can be that of a job: what stands before `fn`, generics and what it returns.

use syn::ext::IdentExt;
use syn::{
    GenericParam, Generics, Ident, ReturnType, Safety, Signature, Type, parse_quote, parse_quote_spanned,
};

use super::types;
use crate::errors::Errors;
use crate::render::render;

/// The name of the struct that a function's job gets: `send_email` → `SendEmail`.
pub(super) fn struct_name(function: &Ident, errors: &mut Errors) -> Option<Ident> {
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

/// What stands in `<…>` and behind `where`.
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
