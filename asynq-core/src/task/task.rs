//! [`Task`]: a type, a payload, headers and options, before it is enqueued.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{BlankName, Layers, TaskOptions, TaskType};

/// Text pairs that travel with a task, beside its payload. Names are exact: case matters, nothing is folded.
pub type Headers = BTreeMap<String, String>;

/// A task to be enqueued, untyped: use it for tasks whose type has no `#[job]` here, such as those that a Go
/// program handles.
///
/// # Examples
///
/// ```
/// use asynq_core::task::{Task, TaskOptions};
///
/// let task = Task::new("email:send", r#"{"to":"a@example.com"}"#)?
///     .header("tenant", "42")
///     .options(TaskOptions::new().queue("low").max_retry(3));
/// assert_eq!(task.task_type().as_str(), "email:send");
/// # Ok::<(), asynq_core::task::BlankName>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "`type` is a keyword")]
pub struct Task {
    pub(crate) task_type: TaskType,
    pub(crate) payload: Option<Bytes>,
    pub(crate) headers: Headers,
    pub(crate) options: TaskOptions,
    pub(crate) layers: Layers,
}

impl Task {
    /// A task of this type with this payload, also an empty one.
    ///
    /// # Errors
    ///
    /// [`BlankName`] when the type is blank.
    pub fn new(task_type: impl AsRef<str>, payload: impl Into<Bytes>) -> Result<Self, BlankName> {
        Ok(Self { payload: Some(payload.into()), ..Self::without_payload(task_type)? })
    }

    /// A task without a payload. It differs from one with an empty payload only in its uniqueness lock.
    ///
    /// # Errors
    ///
    /// [`BlankName`] when the type is blank.
    pub fn without_payload(task_type: impl AsRef<str>) -> Result<Self, BlankName> {
        Ok(Self {
            task_type: TaskType::new(task_type)?,
            payload: None,
            headers: Headers::new(),
            options: TaskOptions::new(),
            layers: Layers::NONE,
        })
    }

    /// Adds a header; the same name again replaces it.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Asks the client that enqueues it for these layers, besides those that it gives every task.
    #[must_use]
    pub fn layers(mut self, layers: Layers) -> Self {
        self.layers = self.layers.and(layers);
        self
    }

    /// Sets options; what was set before stays unless these set it too.
    #[must_use]
    pub fn options(mut self, options: TaskOptions) -> Self {
        self.options = self.options.overlaid_by(options);
        self
    }

    /// The type.
    pub fn task_type(&self) -> &TaskType {
        &self.task_type
    }

    /// The payload, if it has one.
    pub fn payload(&self) -> Option<&Bytes> {
        self.payload.as_ref()
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }
}
