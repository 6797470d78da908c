//! Names parsed once at the door: [`QueueName`], [`TaskId`], [`TaskType`].
//!
//! Go asynq accepts any text that is not blank and stores it as given: no trimming, no case folding, no
//! forbidden characters. The same holds here, so that every name Go wrote can be read back.

use std::borrow::Borrow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use uuid::Uuid;

/// How many bytes an ID is made of.
const BYTES: usize = size_of::<uuid::Bytes>();

/// The text for a name was empty or only white space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} must contain one or more characters that are not white space, got {given:?}")]
pub struct BlankName {
    what: &'static str,
    given: String,
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is, untrimmed.
            ///
            /// # Errors
            ///
            /// [`BlankName`] when it is empty or only Unicode white space, as Go refuses it.
            pub fn new(text: impl AsRef<str>) -> Result<Self, BlankName> {
                let text = text.as_ref();
                if text.trim().is_empty() {
                    return Err(BlankName { what: $what, given: text.to_owned() });
                }
                Ok(Self(Arc::from(text)))
            }

            /// A name read back from the store, where whatever is there must be carried on unchanged.
            pub(crate) fn stored(text: &str) -> Self {
                Self(Arc::from(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl TryFrom<&str> for $name {
            type Error = BlankName;
            fn try_from(text: &str) -> Result<Self, BlankName> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BlankName;
            fn try_from(text: String) -> Result<Self, BlankName> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BlankName;
            fn from_str(text: &str) -> Result<Self, BlankName> {
                Self::new(text)
            }
        }
    };
}

name_type! {
    /// The name of a queue, such as `default`. Case-sensitive; stored untrimmed.
    QueueName, "queue name"
}
name_type! {
    /// The ID of a task, unique within its queue. A UUID v4 unless the caller chose one.
    TaskId, "task id"
}
name_type! {
    /// The type of a task, such as `email:send`: what a router matches handlers by.
    TaskType, "task type"
}

impl QueueName {
    /// The queue that is used when none is named.
    pub const DEFAULT: &'static str = "default";
}

impl Default for QueueName {
    fn default() -> Self {
        // Most tasks go there.
        static NAME: LazyLock<QueueName> = LazyLock::new(|| QueueName::stored(QueueName::DEFAULT));
        NAME.clone()
    }
}

impl TaskId {
    /// A fresh random ID: UUID v4, lower case, hyphenated.
    pub fn random() -> Self {
        Self::of(Uuid::new_v4())
    }

    fn of(uuid: Uuid) -> Self {
        let mut buffer = Uuid::encode_buffer();
        Self(Arc::from(&*uuid.hyphenated().encode_lower(&mut buffer)))
    }
}

/// Fresh random IDs for tasks that are made in one go, by fewer system calls than one for each.
///
/// Not to be kept for later: after a fork, two processes would make the same IDs of it.
#[derive(Debug, Default)]
pub(crate) struct RandomIds(Vec<u8>);

impl RandomIds {
    /// For about so many tasks.
    pub(crate) fn many(expected: usize) -> Self {
        let mut fetched = vec![0; expected * BYTES];
        if getrandom::fill(&mut fetched).is_err() {
            fetched.clear();
        }
        Self(fetched)
    }

    /// One that nobody has; fetched by itself where no other is left.
    pub(crate) fn next(&mut self) -> TaskId {
        let Some(&bytes) = self.0.last_chunk::<BYTES>() else { return TaskId::random() };
        self.0.truncate(self.0.len() - BYTES);
        TaskId::of(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn random_ids_differ_and_are_v4_uuids_however_many_were_expected() {
        let mut seen = HashSet::new();
        for expected in [0, 1, 2, 32] {
            let mut ids = RandomIds::many(expected);
            for _ in 0..40 {
                let id = ids.next();
                let uuid = Uuid::parse_str(id.as_str()).unwrap();
                assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
                assert_eq!(uuid.to_string(), id.as_str());
                assert!(seen.insert(id), "twice, with {expected} expected");
            }
        }
        assert_eq!(seen.len(), 160);
    }
}
