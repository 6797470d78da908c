//! Making pictures smaller.

use std::io::Cursor;

use asynq::{BoxError, Cancelled, Ctx, SkipRetry, State, job};
use image::imageops::FilterType;
use image::{ImageError, ImageReader, Limits};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::images::Images;

/// How much memory one picture may take when it is unpacked: 128 MiB. Small files can be huge pictures.
const MOST_MEMORY: u64 = 128 << 20;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Size {
    /// The width.
    pub width: u32,
    /// The height.
    pub height: u32,
}

/// Makes an uploaded picture as wide as this, unless it is narrower; gives its size.
///
/// It keeps a thread busy, so it says `blocking`; and not all slots of a worker at once, so it says `concurrency`.
///
/// # Errors
///
/// When the file cannot be read or written, or is no picture.
#[job(
    name = "image:resize",
    queue = "images",
    blocking,
    concurrency = 2,
    retry = 3,
    timeout = "1m",
    retention = "1h"
)]
pub fn resize_image(id: Uuid, width: u32, State(images): State<Images>, ctx: &Ctx) -> Result<Size, BoxError> {
    let mut reader = ImageReader::open(images.original(id))?.with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let Some(format) = reader.format() else {
        return Err(SkipRetry::new("this is no picture").into());
    };
    let picture = reader.decode().map_err(unreadable)?;
    // A thread cannot be stopped from outside.
    if ctx.is_cancelled() {
        return Err(Cancelled.into());
    }
    let small = picture.resize(width.min(picture.width()), u32::MAX, FilterType::Lanczos3);
    let mut bytes = Cursor::new(Vec::new());
    small.write_to(&mut bytes, format)?;
    images.put(&images.small(id), bytes.get_ref())?;
    Ok(Size { width: small.width(), height: small.height() })
}

/// A disk that fails may work again later; what is no picture will never be one.
fn unreadable(error: ImageError) -> BoxError {
    match error {
        ImageError::IoError(error) => error.into(),
        error => SkipRetry::new(error).into(),
    }
}
