//! [`CratePath`]: where generated code finds the runtime.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

/// The path of the facade as seen from the user's crate: `::asynq`, unless `crate = path` says otherwise.
pub(crate) struct CratePath(Path);

impl Default for CratePath {
    fn default() -> Self {
        Self(syn::parse_quote!(::asynq))
    }
}

impl CratePath {
    /// This path, if it can be that of a crate; otherwise what to write.
    pub(crate) fn new(path: Path) -> Result<Self, &'static str> {
        if path.segments.iter().any(|segment| !segment.arguments.is_none()) {
            return Err("a crate has no type arguments; write its path, such as `crate = ::my_crate::asynq`");
        }
        Ok(Self(path))
    }

    /// The import of what generated code refers to, as `__asynq`. All its paths start there, so that a wrong path is
    /// one error.
    pub(crate) fn import(&self) -> TokenStream {
        let path = &self.0;
        quote!(use #path::__private as __asynq;)
    }
}
