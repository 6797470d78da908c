//! [`report`]: all mistakes of one use of a macro, each at its place, in one pass.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far. It exists only inside [`report`], so none that was noted can be forgotten.
pub(crate) struct Errors(Vec<syn::Error>);

/// What `expand` makes, followed by an error for each mistake that it noted.
pub(crate) fn report(expand: impl FnOnce(&mut Errors) -> TokenStream) -> TokenStream {
    let mut errors = Errors(Vec::new());
    let mut tokens = expand(&mut errors);
    tokens.extend(errors.0.iter().map(syn::Error::to_compile_error));
    tokens
}

impl Errors {
    /// Notes a mistake at `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// Notes a mistake that somebody else found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// How many mistakes were noted: a step that noted none left this number as it was.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}
