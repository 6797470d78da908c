//! [`Mark`]: what the header of a task says was done to its payload.

use super::OpenError;

const ZSTD: &str = "zstd";
const AES: &str = "aes-256-gcm;";

/// The longest name of a key.
pub(super) const LONGEST_KEY_NAME: usize = 64;

/// What was done to a payload, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark<'a> {
    pub(super) is_compressed: bool,
    /// The name of the key that it is encrypted with.
    pub(super) key: Option<&'a str>,
}

impl<'a> Mark<'a> {
    /// Reads the header [`LAYERS_HEADER`](crate::wire::LAYERS_HEADER).
    pub(super) fn parse(header: &'a str) -> Result<Self, OpenError> {
        let layers = match header.split_once(' ') {
            Some((ZSTD, second)) => (true, Some(second)),
            None if header == ZSTD => (true, None),
            _ => (false, Some(header)),
        };
        let key = match layers.1.map(|layer| layer.strip_prefix(AES)) {
            None => None,
            Some(Some(key)) if is_key_name(key) => Some(key),
            Some(_) => {
                let found = header.chars().take(40).flat_map(char::escape_debug).collect();
                return Err(OpenError::UnknownLayers { found });
            }
        };
        Ok(Self { is_compressed: layers.0, key })
    }

    /// The header's value; nothing where nothing was done.
    pub(super) fn header(self) -> Option<String> {
        match (self.is_compressed, self.key) {
            (false, None) => None,
            (true, None) => Some(ZSTD.to_owned()),
            (false, Some(key)) => Some(format!("{AES}{key}")),
            (true, Some(key)) => Some(format!("{ZSTD} {AES}{key}")),
        }
    }
}

/// Whether a key may have this name.
pub(super) fn is_key_name(name: &str) -> bool {
    (1..=LONGEST_KEY_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for is_compressed in [false, true] {
            for key in [None, Some("2026-11"), Some("a")] {
                let mark = Mark { is_compressed, key };
                match mark.header() {
                    Some(header) => assert_eq!(Mark::parse(&header), Ok(mark)),
                    None => assert_eq!(mark, Mark::default()),
                }
            }
        }
        assert_eq!(Mark { is_compressed: true, key: Some("k") }.header().unwrap(), "zstd aes-256-gcm;k");
    }

    #[test]
    fn anything_else_is_refused_and_told_in_bounds() {
        let long = "x".repeat(1_000_000);
        for header in [
            "",
            " ",
            "zstd ",
            "zstd zstd",
            "gzip",
            "aes-256-gcm;",
            "aes-256-gcm;a b",
            "aes-256-gcm;\n",
            &long,
        ] {
            let error = Mark::parse(header).unwrap_err();
            assert!(error.is_for_others() && error.to_string().len() < 150, "{error}");
        }
    }
}
