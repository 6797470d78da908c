//! Reading what scripts answer: a value of another shape is an error, never a default.

use bytes::Bytes;
use redis::Value;

use crate::broker::{BrokerError, StoredMessage, Undecodable};
use crate::wire::TaskMessage;

/// Reads a sequence of values.
pub(super) struct Reader {
    values: std::vec::IntoIter<Value>,
    doing: &'static str,
}

impl Reader {
    pub(super) fn new(value: Value, doing: &'static str) -> Result<Self, BrokerError> {
        match value {
            Value::Array(values) => Ok(Self { values: values.into_iter(), doing }),
            _ => Err(BrokerError::protocol(doing)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn value(&mut self) -> Result<Value, BrokerError> {
        self.values.next().ok_or(BrokerError::protocol(self.doing))
    }

    pub(super) fn list(&mut self) -> Result<Self, BrokerError> {
        Self::new(self.value()?, self.doing)
    }

    pub(super) fn bytes(&mut self) -> Result<Bytes, BrokerError> {
        self.optional_bytes()?.ok_or(BrokerError::protocol(self.doing))
    }

    pub(super) fn optional_bytes(&mut self) -> Result<Option<Bytes>, BrokerError> {
        match self.value()? {
            Value::BulkString(bytes) => Ok(Some(Bytes::from(bytes))),
            Value::SimpleString(text) => Ok(Some(Bytes::from(text))),
            Value::Nil => Ok(None),
            _ => Err(BrokerError::protocol(self.doing)),
        }
    }

    /// Text; what is not UTF-8 is shown with replacement characters (nothing of ours writes such names).
    pub(super) fn text(&mut self) -> Result<String, BrokerError> {
        let text = match self.value()? {
            Value::BulkString(bytes) => String::from_utf8(bytes),
            Value::SimpleString(text) => return Ok(text),
            _ => return Err(BrokerError::protocol(self.doing)),
        };
        Ok(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    pub(super) fn integer(&mut self) -> Result<i64, BrokerError> {
        match self.value()? {
            Value::Int(number) => Ok(number),
            _ => Err(BrokerError::protocol(self.doing)),
        }
    }

    /// A number as text; none where there is no text, or where it is no number.
    pub(super) fn number(&mut self) -> Result<Option<i64>, BrokerError> {
        let text = self.optional_bytes()?;
        Ok(text.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok()))
    }

    pub(super) fn count(&mut self) -> Result<usize, BrokerError> {
        usize::try_from(self.integer()?).or(Err(BrokerError::protocol(self.doing)))
    }
}

/// A score as text, in whole seconds; Redis may write it with an exponent.
pub(super) fn score(text: &[u8]) -> Option<i64> {
    whole_seconds(std::str::from_utf8(text).ok()?.parse().ok()?)
}

/// A score in whole seconds.
pub(super) fn whole_seconds(number: f64) -> Option<i64> {
    // Beyond 2^53 seconds no clock of ours goes; such a score only has to stay far away.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is wanted")]
    (!number.is_nan()).then_some(number.floor() as i64)
}

/// Stored bytes as a message, if they are one.
pub(super) fn message(bytes: Bytes) -> StoredMessage {
    TaskMessage::decode(bytes.clone()).map_err(|error| Undecodable { bytes, error })
}
