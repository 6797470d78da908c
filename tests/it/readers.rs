//! Whatever reads what others wrote takes any bytes, and any change of bytes that it accepts. The fuzz targets in `fuzz/`
//! check the same, with the same functions.

#[path = "../../fuzz/readers.rs"]
mod readers;

use proptest::prelude::*;
use proptest::sample::Index;

use readers::READERS;

/// One change of some bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index),
    Repeat(Index, u8),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..6))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        any::<Index>().prop_map(Change::Remove),
        (any::<Index>(), any::<u8>()).prop_map(|(at, times)| Change::Repeat(at, times)),
        any::<Index>().prop_map(Change::Cut),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Set(at, byte) => *at.get_mut(&mut bytes) = *byte,
            Change::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Change::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Change::Repeat(at, times) => {
                let at = at.index(bytes.len());
                let rest = bytes[at..].repeat(usize::from(*times % 8));
                bytes.extend(rest);
                bytes.truncate(10_000);
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
    bytes
}

#[test]
fn take_what_others_have_written() {
    for reader in READERS {
        let accepted = (reader.accepted)();
        assert!(!accepted.is_empty(), "{}", reader.name);
        for bytes in accepted {
            (reader.read)(&bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn take_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
        for reader in READERS {
            (reader.read)(&bytes);
            (reader.read)(text.as_bytes());
        }
    }

    #[test]
    fn take_any_change_of_what_they_accept(which: Index, changes in prop::collection::vec(change(), 0..8)) {
        for reader in READERS {
            (reader.read)(&changed(which.get(&(reader.accepted)()).clone(), &changes));
        }
    }
}
