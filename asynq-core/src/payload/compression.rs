//! [`Compression`]: from which size on, how hard, and how much may come out again.

use std::io::Read;

use bytes::Bytes;
use zstd::stream::read::Decoder;

use super::OpenError;

/// The largest window that is read, as a power of two: 128 MiB would be asked for by a few bytes otherwise.
const LARGEST_WINDOW: u32 = 23;

/// How payloads are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    pub(super) above: usize,
    pub(super) level: i32,
    pub(super) most: usize,
}

impl Default for Compression {
    fn default() -> Self {
        Self { above: 1_024, level: 3, most: 64 * 1_024 * 1_024 }
    }
}

impl Compression {
    /// Above 1 KiB, at level 3, up to 64 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only payloads of more bytes than this are compressed, and of those only the ones that get smaller.
    #[must_use]
    pub fn above(mut self, bytes: usize) -> Self {
        self.above = bytes;
        self
    }

    /// How hard it tries, from 1, which is fastest, to 22, which is smallest; what is beyond is taken for the nearest.
    #[must_use]
    pub fn level(mut self, level: i32) -> Self {
        self.level = level.clamp(1, 22);
        self
    }

    /// The most bytes that may come out when a payload is read, whatever is stored; larger ones are not enqueued, either.
    #[must_use]
    pub fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// Nothing where it is not worth it.
    pub(super) fn compress(&self, plain: &[u8]) -> Option<Bytes> {
        if plain.len() <= self.above {
            return None;
        }
        // It fails where there is no memory, and then what there is will do.
        let compressed = self.compressor()?.compress(plain).ok()?;
        (compressed.len() < plain.len()).then(|| compressed.into())
    }

    /// One whose window every reader takes.
    fn compressor(&self) -> Option<zstd::bulk::Compressor<'static>> {
        let mut compressor = zstd::bulk::Compressor::new(self.level).ok()?;
        compressor.set_parameter(zstd::zstd_safe::CParameter::WindowLog(LARGEST_WINDOW)).ok()?;
        Some(compressor)
    }

    pub(super) fn decompress(&self, compressed: &[u8]) -> Result<Bytes, OpenError> {
        let mut plain = Vec::new();
        let limit = u64::try_from(self.most).unwrap_or(u64::MAX).saturating_add(1);
        let mut read = || {
            let mut decoder = Decoder::with_buffer(compressed)?;
            decoder.window_log_max(LARGEST_WINDOW)?;
            decoder.take(limit).read_to_end(&mut plain)
        };
        if read().is_err() {
            return Err(OpenError::NotCompressed);
        }
        if plain.len() > self.most {
            return Err(OpenError::TooLarge { limit: self.most });
        }
        Ok(plain.into())
    }
}
