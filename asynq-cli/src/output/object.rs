//! [`Object`]: named values that keep their order.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// Named values that keep their order, as columns and fields have one.
#[derive(Debug)]
pub(super) struct Object<'a>(pub(super) Vec<(&'a str, &'a Value)>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
