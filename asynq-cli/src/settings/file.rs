//! [`ConfigFile`]: the configuration file, read as a whole, and refused as a whole when anything in it is wrong.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document, DocumentMut, Item, TableLike, Value};

use super::settings::{NAMES, separator};
use crate::failure::Failure;
use crate::suggest;

/// What a table of the file gives, in its order.
pub(crate) type Given = Vec<(&'static str, String)>;

/// A configuration file: settings for all, and contexts with settings of their own.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    /// The context that is used unless another is named.
    pub(crate) current: Option<String>,
    pub(crate) settings: Given,
    pub(crate) contexts: BTreeMap<String, Given>,
}

impl ConfigFile {
    /// Reads a file: TOML, or what Go's tool reads where its name ends in `yaml`, `yml` or `json`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let source = Source { path, text: &text };
        if matches!(extension, Some("yaml" | "yml" | "json")) { source.old() } else { source.toml() }
    }

    /// The settings of a context.
    pub(crate) fn context(&self, name: &str) -> Result<&Given, Failure> {
        self.contexts.get(name).ok_or_else(|| {
            let hint = suggest::hint(name, self.contexts.keys().map(String::as_str));
            Failure::usage(format!("{}: there is no context `{name}`; {hint}", self.path.display()))
        })
    }

    /// Makes a context the one that is used, and leaves everything else in the file as it is.
    pub(crate) fn choose(&self, name: &str) -> Result<(), Failure> {
        let wrong = |error: &dyn Display| Failure::usage(format!("{}: {error}", self.path.display()));
        self.context(name)?;
        let text = std::fs::read_to_string(&self.path).map_err(|error| wrong(&error))?;
        let mut document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| wrong(&error.message()))?;
        document.insert("current", toml_edit::value(name));
        // Whoever reads meanwhile sees the old file or the new one. A link stays one.
        let path = self.path.canonicalize().map_err(|error| wrong(&error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| wrong(&error))?;
        let permissions = std::fs::metadata(&path).map_err(|error| wrong(&error))?.permissions();
        file.write_all(document.to_string().as_bytes()).map_err(|error| wrong(&error))?;
        file.as_file().set_permissions(permissions).map_err(|error| wrong(&error))?;
        file.persist(&path).map_err(|error| wrong(&error))?;
        Ok(())
    }
}

/// The text of a file, for errors that tell the place.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn toml(&self) -> Result<ConfigFile, Failure> {
        let document = Document::parse(self.text)
            .map_err(|error| self.wrong(error.span(), error.message().replace('\n', "; ")))?;
        let mut file = ConfigFile {
            path: self.path.to_owned(),
            current: None,
            settings: Vec::new(),
            contexts: BTreeMap::new(),
        };
        for (key, item) in document.iter() {
            let span = || document.key(key).and_then(toml_edit::Key::span);
            match key {
                "current" => {
                    let name = item.as_str().ok_or_else(|| self.wrong(span(), "`current` must be a text"));
                    file.current = Some(name?.to_owned());
                }
                "context" => {
                    let contexts = item.as_table_like();
                    let contexts = contexts.ok_or_else(|| self.wrong(span(), "write [context.NAME]"))?;
                    for (name, item) in contexts.iter() {
                        let span = || contexts.key(name).and_then(toml_edit::Key::span);
                        let table = item.as_table_like();
                        let table = table.ok_or_else(|| self.wrong(span(), "write [context.NAME]"))?;
                        file.contexts.insert(name.to_owned(), self.table(table)?);
                    }
                }
                _ => file.settings.push(self.setting(key, item, span())?),
            }
        }
        Ok(file)
    }

    fn table(&self, table: &dyn TableLike) -> Result<Given, Failure> {
        let setting = |(key, item)| self.setting(key, item, table.key(key).and_then(toml_edit::Key::span));
        table.iter().map(setting).collect()
    }

    fn setting(
        &self,
        key: &str,
        item: &Item,
        span: Option<Range<usize>>,
    ) -> Result<(&'static str, String), Failure> {
        let name = self.known(key, key, span.clone())?;
        let value = match item.as_value() {
            Some(Value::String(text)) => text.value().clone(),
            Some(Value::Integer(number)) => number.value().to_string(),
            Some(Value::Boolean(flag)) => flag.value().to_string(),
            value => {
                let list = value.and_then(Value::as_array).zip(separator(name));
                let texts = list.and_then(|(items, separator)| {
                    let texts = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
                    Some(texts.join(separator))
                });
                let may_be_list = if separator(name).is_some() { ", or a list of texts" } else { "" };
                texts.ok_or_else(|| {
                    let what = format!("`{key}` must be a text, a number, true or false{may_be_list}");
                    self.wrong(span, what)
                })?
            }
        };
        Ok((name, value))
    }

    /// What Go's tool reads: one level of names, without contexts.
    fn old(&self) -> Result<ConfigFile, Failure> {
        let values: BTreeMap<String, serde_norway::Value> =
            serde_norway::from_str(self.text).map_err(|error| {
                let span = error.location().map(|place| place.index()..place.index());
                // The place comes first, not last.
                let text = error.to_string();
                let text = text.split(" at line ").next().unwrap_or_default();
                self.wrong(span, text)
            })?;
        let mut settings = Vec::new();
        for (key, value) in values {
            let place = self.text.find(&key).map(|start| start..start);
            let name = self.known(if key == "uri" { "redis_url" } else { &key }, &key, place.clone())?;
            let text = |value: &serde_norway::Value| match value {
                serde_norway::Value::String(text) => Some(text.clone()),
                serde_norway::Value::Number(number) => Some(number.to_string()),
                serde_norway::Value::Bool(flag) => Some(flag.to_string()),
                _ => None,
            };
            let value = match &value {
                serde_norway::Value::Sequence(items) => {
                    let separator = separator(name).unwrap_or(",");
                    items.iter().map(text).collect::<Option<Vec<_>>>().map(|items| items.join(separator))
                }
                other => text(other),
            };
            let value = value.ok_or_else(|| self.wrong(place, format!("`{key}` must be a value")))?;
            settings.push((name, value));
        }
        Ok(ConfigFile { path: self.path.to_owned(), current: None, settings, contexts: BTreeMap::new() })
    }

    fn known(&self, name: &str, written: &str, span: Option<Range<usize>>) -> Result<&'static str, Failure> {
        NAMES.into_iter().find(|known| *known == name).ok_or_else(|| {
            let hint = suggest::hint(name, NAMES);
            self.wrong(span, format!("`{written}` is no setting; {hint}"))
        })
    }

    /// `PATH:LINE:COLUMN: what`.
    fn wrong(&self, span: Option<Range<usize>>, what: impl Display) -> Failure {
        let path = self.path.display();
        match span.and_then(|span| self.text.get(..span.start)) {
            Some(before) => {
                let line = before.matches('\n').count() + 1;
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                Failure::usage(format!("{path}:{line}:{column}: {what}"))
            }
            None => Failure::usage(format!("{path}: {what}")),
        }
    }
}

/// The file that is read unless another is named.
pub(crate) fn default_file() -> Option<PathBuf> {
    let base = match std::env::var_os("XDG_CONFIG_HOME").filter(|value| !value.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".config"),
    };
    Some(base.join("asynq").join("config.toml"))
}
