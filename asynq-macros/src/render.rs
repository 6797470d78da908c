//! [`render`]: tokens as people write them, for messages.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// The source text of some tokens: `Option<&str>` and not `Option < & str >`.
pub(crate) fn render(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.into_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut after_word = false;
    let mut joint = false;
    for token in tokens {
        let word = matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_));
        if word && after_word {
            text.push(' ');
        }
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => {
                let alone = !joint && punct.spacing() == Spacing::Alone;
                joint = punct.spacing() == Spacing::Joint;
                match punct.as_char() {
                    sign @ ('+' | '=') if alone => text.extend([' ', sign, ' ']),
                    sign @ (',' | ';') => text.extend([sign, ' ']),
                    sign @ ':' if alone => text.extend([sign, ' ']),
                    sign => text.push(sign),
                }
                after_word = false;
                continue;
            }
            word => text.push_str(&word.to_string()),
        }
        (after_word, joint) = (word, false);
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn types_look_as_they_are_written() {
        for written in [
            "Option<&str>",
            "&'static str",
            "std::collections::HashMap<String, Vec<u8>>",
            "[u8; 32]",
            "(u32, u32)",
            "Box<dyn Error + Send>",
            "at: Point",
        ] {
            assert_eq!(render(written.parse::<proc_macro2::TokenStream>().unwrap()), written);
        }
    }
}
