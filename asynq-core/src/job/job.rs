//! [`Job`]: a payload type with a task type and default options.

use bytes::Bytes;

use super::{Codec, CodecError, Earlier, JobOptions, PayloadShape, SchemaFn};
use crate::task::{InvalidOption, Layers, Task};
use crate::wire::{CODEC_HEADER, VERSION_HEADER};

/// A typed task. `#[job]` implements it for the struct it makes from a function's arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    label = "not a job",
    note = "write `#[job]` on an `async fn`: it makes a struct that is one; or `#[derive(Job)]` on a struct"
)]
pub trait Job: Sized + Send + 'static {
    /// The task type: what a router matches, in Rust and in Go.
    const NAME: &'static str;

    /// Default options of tasks of this type.
    const OPTIONS: JobOptions;

    /// What the payload holds, for catalogs.
    const PAYLOAD: PayloadShape = PayloadShape::Unknown;

    /// The JSON Schema of the payload, where its codec writes JSON. `#[job]` says what it is with the feature `schemars`.
    const SCHEMA: SchemaFn = || None;

    /// The version of the payload's form. Tasks of the first carry no mark, those of later ones a header.
    const VERSION: u32 = 1;

    /// How payloads of earlier versions are read; of a version that is not here none is.
    const EARLIER: &'static [Earlier<Self>] = &[];

    /// How the payload is encoded.
    type Codec: Codec<Self>;

    /// What its handler returns on success.
    type Output;

    /// The payload's bytes.
    ///
    /// # Errors
    ///
    /// When the value has no form in the job's encoding.
    fn encode(&self) -> Result<Bytes, CodecError> {
        Self::Codec::encode(self)
    }

    /// Reads a payload of this version. A handler, which may be given one of another, uses
    /// [`Ctx::job`](crate::router::Ctx::job).
    ///
    /// # Errors
    ///
    /// When the bytes are not a payload of this job.
    fn decode(payload: &[u8]) -> Result<Self, CodecError> {
        Self::Codec::decode(payload)
    }

    /// The part of the payload that names the lock of a unique job, if not all of it does; see
    /// [`TaskOptions::unique_by`](crate::task::TaskOptions::unique_by). `#[job(unique_by(…))]` implements it.
    ///
    /// # Errors
    ///
    /// When that part cannot be encoded.
    fn unique_by(&self) -> Result<Option<Bytes>, CodecError> {
        Ok(None)
    }

    /// The untyped task, with the job's default options, and with headers that name its codec and version unless it is
    /// JSON of the first.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`](crate::Error::Codec) when the payload cannot be encoded; an invalid option when the
    /// name is blank.
    fn to_task(&self) -> Result<Task, crate::Error> {
        let marks = Marks {
            name: Self::NAME,
            codec: Self::Codec::NAME,
            layers: Self::Codec::LAYERS,
            version: Self::VERSION,
            options: &Self::OPTIONS,
        };
        marks.task(self.encode(), self.unique_by())
    }
}

/// What the task of a job is marked with. Without the job's type, so that it is compiled once and not for each job.
struct Marks<'a> {
    name: &'static str,
    codec: Option<&'static str>,
    layers: Layers,
    version: u32,
    options: &'a JobOptions,
}

impl Marks<'_> {
    fn task(
        &self,
        payload: Result<Bytes, CodecError>,
        unique_by: Result<Option<Bytes>, CodecError>,
    ) -> Result<Task, crate::Error> {
        let failed = |source| crate::Error::Codec { job: self.name.to_owned(), source };
        let mut task =
            Task::new(self.name, payload.map_err(failed)?).map_err(InvalidOption::from)?.layers(self.layers);
        if let Some(codec) = self.codec {
            task = task.header(CODEC_HEADER, codec);
        }
        if self.version > 1 {
            task = task.header(VERSION_HEADER, self.version.to_string());
        }
        let mut options = self.options.task_options();
        if let Some(part) = unique_by.map_err(failed)? {
            options = options.unique_by(part);
        }
        Ok(task.options(options))
    }
}

/// What can be enqueued: a job with its default options, or an untyped [`Task`].
pub trait IntoTask {
    /// The task.
    ///
    /// # Errors
    ///
    /// As [`Job::to_task`].
    fn into_task(self) -> Result<Task, crate::Error>;
}

impl IntoTask for Task {
    fn into_task(self) -> Result<Task, crate::Error> {
        Ok(self)
    }
}

impl<J: Job> IntoTask for J {
    fn into_task(self) -> Result<Task, crate::Error> {
        self.to_task()
    }
}
