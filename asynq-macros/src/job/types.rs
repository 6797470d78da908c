//! What can be said about a type from how it is written: a macro sees names, not meanings.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, Ident, Lifetime, PathArguments, PathSegment, Type, TypeFnPtr, TypeImplTrait,
    TypeReference, parse_quote,
};

/// The type without parentheses and without the invisible groups that a `macro_rules!` macro puts around it.
pub(crate) fn peel(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            _ => return ty,
        }
    }
}

/// The last segment of the type's path.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// Whether the last segment is `name`, without arguments.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name && segment.arguments.is_none())
}

/// The first type argument, where the last segment is `name` and has arguments: `Db` of `State<Db>`.
pub(crate) fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether the name alone says that serde can write and read the type.
pub(crate) fn is_plain(ty: &Type) -> bool {
    const PLAIN: [&str; 17] = [
        "String", "PathBuf", "bool", "char", "f32", "f64", "u8", "u16", "u32", "u64", "u128", "usize", "i8",
        "i16", "i32", "i64", "i128",
    ];
    let inner = ["Option", "Vec"].iter().find_map(|name| argument_of(ty, name));
    inner.map_or_else(|| PLAIN.iter().any(|name| is_named(ty, name)), is_plain)
}

/// Whether the type is the standard library's `name` in `module`, written with no, one or all parts of its path.
/// Someone's own type of that name can be told apart by another path: `self::Path`.
fn is_std(ty: &Type, module: &str, name: &str) -> bool {
    let Type::Path(path) = peel(ty) else { return false };
    let segments: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    is_named(ty, name) && matches!(segments[..], [_])
        || segments == [module, name]
        || segments == ["std", module, name]
}

/// The type of a field that can be lent as `&ty`.
pub(crate) fn owner(ty: &Type) -> Type {
    match peel(ty) {
        Type::Slice(slice) => {
            let elem = &slice.elem;
            parse_quote!(::std::vec::Vec<#elem>)
        }
        ty if is_named(ty, "str") => parse_quote!(::std::string::String),
        ty if is_std(ty, "path", "Path") => parse_quote!(::std::path::PathBuf),
        ty if is_std(ty, "ffi", "OsStr") => parse_quote!(::std::ffi::OsString),
        ty if is_std(ty, "ffi", "CStr") => parse_quote!(::std::ffi::CString),
        ty => ty.clone(),
    }
}

/// The same with names as people write them, for messages.
pub(crate) fn short_owner(ty: &Type) -> Type {
    match peel(ty) {
        Type::Slice(slice) => {
            let elem = &slice.elem;
            parse_quote!(Vec<#elem>)
        }
        ty if is_named(ty, "str") => parse_quote!(String),
        ty => owner(ty),
    }
}

/// The places of a type's first and last token. A path that starts with the one and ends with the other is reported
/// at the whole type.
pub(crate) fn ends(ty: &Type) -> (Span, Span) {
    let mut spans = ty.to_token_stream().into_iter().map(|token| match token {
        TokenTree::Group(group) => (group.span_open(), group.span_close()),
        token => (token.span(), token.span()),
    });
    let (first, last) = spans.next().unwrap_or_else(|| (Span::call_site(), Span::call_site()));
    (first, spans.last().map_or(last, |(_, last)| last))
}

/// Whether the tokens contain one of these names.
pub(crate) fn mentions(tokens: TokenStream, names: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.contains(&&ident),
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}

/// What is in a type that data read from a payload, or stored as a result, cannot have.
#[derive(Default)]
pub(crate) struct Findings {
    /// A borrow that is not `'static`.
    pub(crate) borrow: bool,
    /// An `impl Trait`.
    pub(crate) impl_trait: Option<TypeImplTrait>,
}

/// Makes a type own its data: `Option<&str>` becomes `Option<String>`. Tells what it found.
pub(crate) fn make_owned(ty: &mut Type) -> Findings {
    let mut findings = Findings::default();
    findings.visit_type_mut(ty);
    findings
}

impl VisitMut for Findings {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Reference(TypeReference { lifetime, elem, .. }) = ty
            && !lifetime.as_ref().is_some_and(is_static)
        {
            self.borrow = true;
            *ty = short_owner(elem);
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if !is_static(lifetime) {
            self.borrow = true;
            lifetime.ident = Ident::new("static", lifetime.ident.span());
        }
    }

    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        self.impl_trait.get_or_insert_with(|| ty.clone());
    }

    // The lifetimes in the type of a function pointer are its own.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}
