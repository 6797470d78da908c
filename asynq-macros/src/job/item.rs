//! [`Item`]: what `#[job]` stands on, taken apart but not judged.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, Pat, Result, Signature, Token, Type, Visibility};

/// A function with `#[job]` on it.
pub(crate) struct Item {
    /// Its other attributes.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    /// As it is to come out again: without the attributes that are for us.
    pub(crate) signature: Signature,
    /// Its parameters, except a receiver, with the attributes that are for us.
    pub(crate) parameters: Vec<Parameter>,
    /// Never parsed: what is half-written there is the compiler's business, and an editor's.
    body: TokenStream,
}

/// A parameter of the function.
#[derive(Clone)]
pub(crate) struct Parameter {
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    /// `#[state]`, `#[extract]` and `#[arg]`.
    pub(crate) roles: Vec<Attribute>,
    /// Documentation, and the attributes of serde and schemars: they belong to the field that the parameter becomes.
    pub(crate) docs: Vec<Attribute>,
    pub(crate) serde: Vec<Attribute>,
    pub(crate) schemars: Vec<Attribute>,
    /// `#[cfg]` and `#[cfg_attr]`, which stay with the function too.
    pub(crate) cfg: Vec<Attribute>,
}

impl Item {
    /// Takes it apart.
    ///
    /// # Errors
    ///
    /// When it is not a function with a body.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        Parser::parse2(Self::read, tokens)
    }

    fn read(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !is_function(input) {
            return Err(
                input.error("`#[job]` goes on an `async fn`: the job is a struct made from its arguments")
            );
        }
        let mut signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(input.error("a job needs a body: write `{ … }`"));
        }
        let parameters = parameters(&mut signature.inputs);
        Ok(Self { attrs, vis, signature, parameters, body: input.parse()? })
    }

    /// The function as it is to come out again.
    pub(crate) fn function(&self) -> TokenStream {
        let Self { attrs, vis, signature, body, .. } = self;
        quote!(#(#attrs)* #vis #signature #body)
    }

    /// Its attributes with one of these names.
    pub(crate) fn attrs_named<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Attribute> {
        self.attrs.iter().filter(move |attr| is_one_of(attr, names))
    }
}

/// Whether a `fn` comes before anything that could be the name, the fields or the value of another item.
fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while let Ok(token) = ahead.parse::<TokenTree>() {
        match token {
            TokenTree::Ident(word) if word == "fn" => return true,
            TokenTree::Ident(word)
                if ["const", "async", "unsafe", "extern", "safe", "gen"].iter().any(|w| word == w) => {}
            // The name of an ABI.
            TokenTree::Literal(_) => {}
            _ => return false,
        }
    }
    false
}

/// Takes the attributes that are for us off the parameters.
pub(super) fn parameters(inputs: &mut Punctuated<FnArg, Token![,]>) -> Vec<Parameter> {
    let typed = inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed
        .map(|typed| {
            let mut taken = |names: &[&str]| {
                let (taken, kept) = typed.attrs.drain(..).partition(|attr| is_one_of(attr, names));
                typed.attrs = kept;
                taken
            };
            let roles = taken(&["state", "extract", "arg"]);
            let docs = taken(&["doc"]);
            let serde = taken(&["serde"]);
            let schemars = taken(&["schemars"]);
            let cfg =
                typed.attrs.iter().filter(|attr| is_one_of(attr, &["cfg", "cfg_attr"])).cloned().collect();
            Parameter {
                pat: (*typed.pat).clone(),
                ty: (*typed.ty).clone(),
                roles,
                docs,
                serde,
                schemars,
                cfg,
            }
        })
        .collect()
}

fn is_one_of(attr: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attr.path().is_ident(name))
}
