//! What a file of users says. It is refused as a whole when anything in it is wrong.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use toml_edit::{ArrayOfTables, Document, Item, Key, Table, Value};

use super::passwords::check_hash;
use super::secret::Digest;
use super::users::{Known, Person, Program, UsersError};
use crate::rights::{Right, Rights};

/// No name is longer.
const LONGEST_NAME: usize = 128;

/// What every table may have.
const COMMON: [&str; 5] = ["name", "role", "rights", "queues", "instances"];

/// Reads it.
pub(super) fn read(text: &str) -> Result<Known, UsersError> {
    let source = Source { text };
    let document = Document::parse(text)
        .map_err(|error| source.wrong(error.span(), error.message().replace('\n', "; ")))?;
    let mut known = Known::default();
    for (kind, item) in document.iter() {
        let span = document.key(kind).and_then(Key::span);
        let tables = |own| source.tables(kind, item, span.clone(), own);
        match kind {
            "users" => tables(&["password"])?.iter().try_for_each(|entry| entry.person(&mut known))?,
            "tokens" => {
                tables(&["sha256", "expires"])?.iter().try_for_each(|entry| entry.program(&mut known))?;
            }
            "groups" => tables(&[])?.iter().try_for_each(|entry| entry.group(&mut known))?,
            _ => {
                let reason =
                    format!("`{kind}` is nothing here; known are [[users]], [[tokens]] and [[groups]]");
                return Err(source.wrong(span, reason));
            }
        }
    }
    Ok(known)
}

/// The text of a file, for errors that tell the place.
#[derive(Clone, Copy)]
struct Source<'a> {
    text: &'a str,
}

impl<'a> Source<'a> {
    fn wrong(self, span: Option<Range<usize>>, reason: impl Into<String>) -> UsersError {
        let error = UsersError::new(reason);
        let Some(before) = span.and_then(|span| self.text.get(..span.start)) else { return error };
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        error.at(line, column)
    }

    /// The tables of one kind; each has what all have, and some of `own`.
    fn tables(
        self,
        kind: &str,
        item: &'a Item,
        span: Option<Range<usize>>,
        own: &[&str],
    ) -> Result<Vec<Entry<'a>>, UsersError> {
        let tables = item.as_array_of_tables().map(ArrayOfTables::iter);
        let tables = tables.ok_or_else(|| self.wrong(span, format!("write [[{kind}]], once for each")))?;
        tables
            .map(|table| {
                for (name, _) in table {
                    if !COMMON.contains(&name) && !own.contains(&name) {
                        let known = COMMON.iter().chain(own).copied().collect::<Vec<_>>().join(", ");
                        let span = table.key(name).and_then(Key::span);
                        return Err(self.wrong(span, format!("`{name}` is nothing here; known are {known}")));
                    }
                }
                Ok(Entry { source: self, table })
            })
            .collect()
    }
}

/// A text, and where it stands.
type Placed = (String, Option<Range<usize>>);

/// A user, a token or a group.
struct Entry<'a> {
    source: Source<'a>,
    table: &'a Table,
}

impl Entry<'_> {
    fn person(&self, known: &mut Known) -> Result<(), UsersError> {
        let name: Arc<str> = self.name()?.into();
        let password = self.text("password")?;
        if let Some(password) = password {
            check_hash(password).map_err(|reason| self.wrong_value("password", reason))?;
        }
        let person = Person { password: password.map(Into::into), rights: self.rights()? };
        if known.people.insert(Arc::clone(&name), person).is_some() {
            return Err(self.wrong_value("name", format!("there are two users `{name}`")));
        }
        Ok(())
    }

    fn program(&self, known: &mut Known) -> Result<(), UsersError> {
        let name: Arc<str> = self.name()?.into();
        let hash = self.text("sha256")?.ok_or_else(|| self.missing("sha256"))?;
        let hash = Digest::read(hash).ok_or_else(|| {
            self.wrong_value("sha256", "this must be 64 hexadecimal digits; `asynq web new-token` makes them")
        })?;
        if known.tokens.values().any(|other| other.name == name) {
            return Err(self.wrong_value("name", format!("there are two tokens `{name}`")));
        }
        let program = Program { name, rights: self.rights()?, expires: self.expires()? };
        if let Some(other) = known.tokens.insert(hash, program) {
            return Err(self.wrong_value("sha256", format!("this is the token `{}`, too", other.name)));
        }
        Ok(())
    }

    fn group(&self, known: &mut Known) -> Result<(), UsersError> {
        let name = self.name()?.to_owned();
        if known.groups.iter().any(|(other, _)| *other == name) {
            return Err(self.wrong_value("name", format!("there are two groups `{name}`")));
        }
        known.groups.push((name, self.rights()?));
        Ok(())
    }

    fn name(&self) -> Result<&str, UsersError> {
        let name = self.text("name")?.ok_or_else(|| self.missing("name"))?;
        if name.trim() != name || name.is_empty() || name.chars().any(char::is_control) {
            return Err(self.wrong_value("name", "a name is not blank, and has no blanks around it"));
        }
        if name.len() > LONGEST_NAME {
            return Err(self.wrong_value("name", format!("a name has at most {LONGEST_NAME} bytes")));
        }
        Ok(name)
    }

    fn rights(&self) -> Result<Rights, UsersError> {
        let rights = match (self.text("role")?, self.list("rights")?) {
            (Some("viewer"), None) => Rights::viewer(),
            (Some("operator"), None) => Rights::operator(),
            (Some("admin"), None) => Rights::admin(),
            (Some(role), None) => {
                let reason = format!("`{role}` is no role; known are viewer, operator and admin");
                return Err(self.wrong_value("role", reason));
            }
            (None, Some(names)) => {
                let mut rights = Rights::none();
                for (name, span) in names {
                    let right = Right::ALL.into_iter().find(|right| right.as_str() == name);
                    rights = rights.with(right.ok_or_else(|| {
                        let known = Right::ALL.map(Right::as_str).join(", ");
                        self.source.wrong(span, format!("`{name}` is no right; known are {known}"))
                    })?);
                }
                rights
            }
            (Some(_), Some(_)) => {
                return Err(self
                    .wrong_value("rights", "there is a role already: one of the two says what is allowed"));
            }
            (None, None) => return Err(self.missing("role` or `rights")),
        };
        let rights = match self.patterns("queues")? {
            Some(queues) => rights.in_queues(queues),
            None => rights,
        };
        Ok(match self.patterns("instances")? {
            Some(instances) => rights.in_instances(instances),
            None => rights,
        })
    }

    /// Patterns of names, one at least; `None` for all.
    fn patterns(&self, name: &str) -> Result<Option<Vec<String>>, UsersError> {
        let Some(patterns) = self.list(name)? else { return Ok(None) };
        if patterns.is_empty() {
            return Err(
                self.wrong_value(name, format!("these are no {name} at all; leave it out for all of them"))
            );
        }
        Ok(Some(patterns.into_iter().map(|(pattern, _)| pattern).collect()))
    }

    fn expires(&self) -> Result<Option<Timestamp>, UsersError> {
        let text = match self.value("expires") {
            None => return Ok(None),
            Some(Value::Datetime(time)) => time.value().to_string(),
            Some(Value::String(text)) => text.value().clone(),
            Some(_) => String::new(),
        };
        text.parse().map(Some).map_err(|_error| {
            self.wrong_value("expires", "this must be a time with its zone, such as 2027-01-31T12:00:00Z")
        })
    }

    fn text(&self, name: &str) -> Result<Option<&str>, UsersError> {
        let Some(item) = self.table.get(name) else { return Ok(None) };
        item.as_str().map(Some).ok_or_else(|| self.wrong_value(name, format!("`{name}` must be a text")))
    }

    /// Texts, each with its place.
    fn list(&self, name: &str) -> Result<Option<Vec<Placed>>, UsersError> {
        let Some(item) = self.table.get(name) else { return Ok(None) };
        let wrong = || self.wrong_value(name, format!("`{name}` must be a list of texts"));
        let items = item.as_array().ok_or_else(wrong)?.iter();
        let texts = items.map(|item| Ok((item.as_str().ok_or_else(wrong)?.to_owned(), item.span())));
        texts.collect::<Result<_, _>>().map(Some)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.table.get(name).and_then(Item::as_value)
    }

    fn missing(&self, name: &str) -> UsersError {
        self.source.wrong(self.table.span(), format!("`{name}` is missing"))
    }

    fn wrong_value(&self, name: &str, reason: impl Into<String>) -> UsersError {
        let span = self.table.get(name).and_then(Item::span).or_else(|| self.table.span());
        self.source.wrong(span, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn users_tokens_and_groups() {
        let text = format!(
            "[[users]]\nname = \"ann\"\npassword = '{HASH}'\nrole = \"operator\"\nqueues = [\"mail-*\"]\ninstances = [\"eu*\"]\n\
             [[users]]\nname = 'bob of \"x\"'\nrights = [\"view\", \"audit\"]\n\
             [[tokens]]\nname = \"deploy\"\nsha256 = \"{}\"\nrole = \"admin\"\nexpires = 2033-05-18T12:00:00Z\n\
             [[groups]]\nname = \"*\"\nrole = \"viewer\"\n",
            "0a".repeat(32)
        );
        let known = read(&text).unwrap();
        let ann = &known.people["ann"];
        assert_eq!(ann.password.as_deref(), Some(HASH));
        assert_eq!(ann.rights, Rights::operator().in_queues(["mail-*"]).in_instances(["eu*"]));
        let bob = &known.people["bob of \"x\""];
        assert!(
            bob.password.is_none() && bob.rights.have(Right::Audit) && !bob.rights.have(Right::ViewPayload)
        );
        let deploy = known.tokens.values().next().unwrap();
        assert_eq!(deploy.expires, Some("2033-05-18T12:00:00Z".parse().unwrap()));
        assert_eq!(known.groups, [("*".to_owned(), Rights::viewer())]);
        assert!(read("").unwrap().people.is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let token = format!("sha256 = \"{}\"\nrole = \"viewer\"", "0".repeat(64));
        for (text, expected) in [
            ("[[users]]\nname = ", "2:8: "),
            ("[[users]]\nname = \"a\"\n", "1:1: `role` or `rights` is missing"),
            ("[[users]]\nrole = \"viewer\"\n", "1:1: `name` is missing"),
            ("[[users]]\nname = 7\n", "2:8: `name` must be a text"),
            ("[[users]]\nname = \" a\"\n", "2:8: a name is not blank"),
            ("[[users]]\nname = \"a\"\nrole = \"boss\"\n", "3:8: `boss` is no role; known are viewer"),
            (
                "[[users]]\nname = \"a\"\nrights = [\"view\", \"veiw\"]\n",
                "3:19: `veiw` is no right; known are view,",
            ),
            ("[[users]]\nname = \"a\"\nrole = \"viewer\"\nrights = []\n", "4:10: there is a role already"),
            ("[[users]]\nname = \"a\"\nrole = \"viewer\"\nqueues = []\n", "4:10: these are no queues"),
            ("[[users]]\nname = \"a\"\nrole = \"viewer\"\nqueues = \"x\"\n", "4:10: `queues` must be a list"),
            (
                "[[users]]\nname = \"a\"\npasword = \"x\"\n",
                "3:1: `pasword` is nothing here; known are name, role",
            ),
            ("[[users]]\nname = \"a\"\npassword = \"x\"\n", "3:12: this is no hash of a password"),
            (
                "[[users]]\nname=\"a\"\nrole=\"viewer\"\n[[users]]\nname=\"a\"\nrole=\"viewer\"",
                "5:6: there are two users",
            ),
            ("[users]\nname = \"a\"\n", "1:2: write [[users]]"),
            ("[[user]]\n", "1:3: `user` is nothing here; known are [[users]]"),
            ("[[tokens]]\nname = \"t\"\nrole = \"viewer\"", "1:1: `sha256` is missing"),
            ("[[tokens]]\nname = \"t\"\nsha256 = \"00\"", "3:10: this must be 64 hexadecimal digits"),
            (
                &format!("[[tokens]]\nname = \"t\"\n{token}\nexpires = 2033-05-18"),
                "5:11: this must be a time",
            ),
            (
                &format!("[[tokens]]\nname = \"t\"\n{token}\n[[tokens]]\nname = \"u\"\n{token}"),
                "7:10: this is the token `t`",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
