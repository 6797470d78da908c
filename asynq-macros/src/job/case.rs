//! [`Case`]: how `rename_all` writes the names of fields, by serde's rules.

use syn::{Error, Expr, ExprLit, Lit, LitStr, Result};

use crate::suggest;

/// Writes a name.
type Write = fn(&str) -> String;

/// Serde's names of cases, and how each writes `first_name`.
const CASES: [(&str, Write); 8] = [
    ("lowercase", str::to_owned),
    ("UPPERCASE", str::to_uppercase),
    ("PascalCase", pascal),
    ("camelCase", camel),
    ("snake_case", str::to_owned),
    ("SCREAMING_SNAKE_CASE", str::to_uppercase),
    ("kebab-case", |name| name.replace('_', "-")),
    ("SCREAMING-KEBAB-CASE", |name| name.to_uppercase().replace('_', "-")),
];

/// A way to write the names of fields.
pub(super) struct Case {
    /// Its name, for serde.
    pub(super) name: LitStr,
    write: Write,
}

impl Case {
    /// The name of a field in the payload.
    pub(super) fn apply(&self, field: &str) -> String {
        (self.write)(field)
    }
}

/// The case that a text names.
pub(super) fn named(name: &LitStr) -> Option<Case> {
    let (_, write) = CASES.iter().find(|(case, _)| *case == name.value())?;
    Some(Case { name: name.clone(), write: *write })
}

/// Reads `rename_all = "camelCase"`.
pub(super) fn read(value: &Expr) -> Result<Case> {
    let Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) = value else {
        return Err(Error::new_spanned(value, "a case is a string literal, such as \"camelCase\""));
    };
    if let Some(case) = named(name) {
        return Ok(case);
    }
    let text = name.value();
    let names = CASES.map(|(case, _)| case);
    let meant =
        suggest::nearest(&text, names).map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"));
    let message = format!("unknown case {text:?}{meant} (known: \"{}\")", names.join("\", \""));
    Err(Error::new(name.span(), message))
}

fn pascal(field: &str) -> String {
    let mut name = String::new();
    for word in field.split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters));
    }
    name
}

fn camel(field: &str) -> String {
    let pascal = pascal(field);
    let mut letters = pascal.chars();
    letters.next().map(|letter| letter.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::CASES;

    #[test]
    fn names_are_written_as_serde_writes_them() {
        let written: Vec<_> = CASES.iter().map(|(_, write)| write("first_name")).collect();
        assert_eq!(
            written,
            [
                "first_name",
                "FIRST_NAME",
                "FirstName",
                "firstName",
                "first_name",
                "FIRST_NAME",
                "first-name",
                "FIRST-NAME"
            ]
        );
    }
}
