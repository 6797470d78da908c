//! `derive(Debug, Clone)`: what the struct of a job derives beside serde's traits.

use quote::ToTokens;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, Path, Result, Token};

use crate::render::render;

/// Reads the list.
pub(super) fn read(list: ParseStream<'_>) -> Result<Vec<Path>> {
    let mut derives: Vec<Path> = Vec::new();
    let paths = Punctuated::<Path, Token![,]>::parse_terminated(list).map_err(|error| {
        Error::new(error.span(), "expected the name of a derive, such as `derive(Debug, Clone)`")
    })?;
    for path in paths {
        if path.segments.last().is_some_and(|last| last.ident == "Serialize" || last.ident == "Deserialize") {
            let message = format!("a job implements `{}` by itself: leave it out", render(&path));
            return Err(Error::new_spanned(path, message));
        }
        let same = |other: &Path| other.to_token_stream().to_string() == path.to_token_stream().to_string();
        if derives.iter().any(same) {
            let message = format!("`{}` is derived twice", render(&path));
            return Err(Error::new_spanned(path, message));
        }
        derives.push(path);
    }
    Ok(derives)
}
