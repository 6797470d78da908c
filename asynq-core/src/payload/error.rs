//! [`OpenError`]: why a stored payload could not be opened.

/// A stored payload could not be opened. No text tells anything of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is encrypted with a key that this program was not given: give it one of that name.
    #[error("it is encrypted with key `{key}`, and this program has {has}")]
    UnknownKey {
        /// The name of the key.
        key: String,
        /// Which keys there are.
        has: String,
    },
    /// The key that has its name does not open it.
    #[error(
        "it does not open with key `{key}`: another key has had that name, or the payload was changed, or it belongs to \
         another task"
    )]
    NotAuthentic {
        /// The name of the key.
        key: String,
    },
    /// It is not encrypted, and this program takes only what is.
    #[error("it is not encrypted, and this program takes only payloads that are")]
    NotEncrypted,
    /// It is more than may come out of compression.
    #[error("uncompressed it is more than {limit} bytes, the most that this program takes")]
    TooLarge {
        /// The most bytes.
        limit: usize,
    },
    /// It says that it is compressed, and is not.
    #[error("it cannot be uncompressed: not Zstandard, or cut off")]
    NotCompressed,
    /// It needs what was left out when this program was built.
    #[error("it needs the feature `{feature}`, without which this program was built")]
    NotBuilt {
        /// The feature of the crate.
        feature: &'static str,
    },
    /// Its header says what this program does not know: a newer one wrote it, or nobody who should.
    #[error("its header `{}` says `{found}`, which this program does not know", crate::wire::LAYERS_HEADER)]
    UnknownLayers {
        /// What it says, cut to 40 characters.
        found: String,
    },
}

impl OpenError {
    /// Whether another program may be able to open it: one with more keys, or a newer one.
    pub(crate) fn is_for_others(&self) -> bool {
        matches!(self, Self::UnknownKey { .. } | Self::NotBuilt { .. } | Self::UnknownLayers { .. })
    }
}
