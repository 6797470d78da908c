//! Payloads there and back, and whatever else may stand in their place.

use bytes::Bytes;
use proptest::prelude::*;

use super::{OpenError, Payloads};
use crate::task::Layers;
use crate::wire::{LAYERS_HEADER, TaskMessage};

fn message(payload: impl Into<Bytes>) -> TaskMessage {
    TaskMessage {
        task_type: "t".to_owned(),
        id: "i".to_owned(),
        payload: payload.into(),
        ..TaskMessage::default()
    }
}

fn marked(payload: impl Into<Bytes>, mark: &str) -> TaskMessage {
    let mut message = message(payload);
    message.headers.insert(LAYERS_HEADER.to_owned(), mark.to_owned());
    message
}

#[test]
fn what_asks_for_nothing_is_stored_as_it_is() {
    let mut plain = message("p");
    Payloads::new().seal(&mut plain, Layers::NONE).unwrap();
    assert_eq!(plain, message("p"));
    assert_eq!(Payloads::new().open(&plain), Ok(None));
}

#[test]
fn a_payload_that_is_too_large_tells_size_limit_and_job() {
    let payloads = Payloads::new().max_size(3);
    payloads.seal(&mut message("abc"), Layers::NONE).unwrap();
    let error = payloads.seal(&mut message("secret"), Layers::NONE).unwrap_err();
    assert_eq!(error.to_string(), "payload of job `t` is too large: 6 bytes, and at most 3 are allowed");
}

#[test]
fn headers_of_a_newer_program_are_told() {
    let error = Payloads::new().open(&marked("p", "brotli")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "its header `asynq-layers` says `brotli`, which this program does not know"
    );
}

#[cfg(feature = "zstd")]
mod compressed {
    use std::io::Write;

    use super::super::Compression;
    use super::*;

    fn compressing() -> Payloads {
        Payloads::new().compression(Compression::new().above(100).most(100_000)).compress_all()
    }

    #[test]
    fn what_is_large_and_gets_smaller_is_compressed() {
        let mut large = message("a".repeat(1_000));
        compressing().seal(&mut large, Layers::NONE).unwrap();
        assert!(large.payload.len() < 50 && large.headers[LAYERS_HEADER] == "zstd");
        assert_eq!(Payloads::new().open(&large).unwrap().unwrap(), message("a".repeat(1_000)));

        for stays in ["a".repeat(100).into_bytes(), (0..200).map(|_| fastrand::u8(..)).collect()] {
            let mut small = message(stays.clone());
            compressing().seal(&mut small, Layers::NONE).unwrap();
            assert_eq!(small, message(stays));
        }
    }

    #[test]
    fn what_would_be_too_much_is_neither_written_nor_read() {
        let error = compressing().seal(&mut message(vec![0; 100_001]), Layers::NONE).unwrap_err();
        assert_eq!(
            error.to_string(),
            "payload of job `t` cannot be stored: it is of 100001 bytes, and nobody would uncompress more than 100000"
        );
        let bomb = zstd::bulk::compress(&vec![0; 100_000_000], 19).unwrap();
        assert!(bomb.len() < 20_000);
        assert_eq!(compressing().open(&marked(bomb, "zstd")), Err(OpenError::TooLarge { limit: 100_000 }));
        let whole =
            Payloads::new().open(&marked(zstd::bulk::compress(&vec![0; 100_000], 19).unwrap(), "zstd"));
        assert_eq!(whole.unwrap().unwrap().payload.len(), 100_000);
    }

    #[test]
    fn a_window_larger_than_ours_is_refused() {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(b"aaaa").unwrap();
        let wide = encoder.finish().unwrap();
        assert_eq!(Payloads::new().open(&marked(wide, "zstd")), Err(OpenError::NotCompressed));
    }

    #[test]
    fn every_level_is_read() {
        let plain: Vec<u8> = (0..2_000_000_u32).flat_map(|n| (n % 977).to_le_bytes()).collect();
        for level in [1, 3, 19, 22, 99] {
            let mut sealed = message(plain.clone());
            let payloads = Payloads::new().compression(Compression::new().level(level));
            payloads.seal(&mut sealed, Layers::NONE.compressed()).unwrap();
            assert_eq!(sealed.headers[LAYERS_HEADER], "zstd");
            assert_eq!(Payloads::new().open(&sealed).unwrap().unwrap().payload, plain);
        }
    }

    proptest! {
        #[test]
        fn anything_for_a_compressed_payload_is_an_error_or_bounded(payload in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(Some(opened)) = compressing().open(&marked(payload, "zstd")) {
                prop_assert!(opened.payload.len() <= 100_000);
            }
        }

        #[test]
        fn a_compressed_payload_that_was_changed_is_an_error_or_bounded(at in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = zstd::bulk::compress(&vec![7; 50_000], 3).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(Some(opened)) = compressing().open(&marked(bytes, "zstd")) {
                prop_assert!(opened.payload.len() <= 100_000);
            }
        }
    }
}

#[cfg(feature = "encryption")]
mod encrypted {
    use super::super::{Key, Keyring};
    use super::*;

    fn keyring(name: &str) -> Keyring {
        Keyring::new(name, key_of(name)).unwrap()
    }

    /// Its bytes are those of its name.
    fn key_of(name: &str) -> Key {
        let mut bytes = [0; 32];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Key::new(bytes)
    }

    fn encrypting(name: &str) -> Payloads {
        Payloads::new().keys(keyring(name)).encrypt_all()
    }

    fn sealed(payload: &'static str) -> TaskMessage {
        let mut message = message(payload);
        encrypting("k").seal(&mut message, Layers::NONE).unwrap();
        message
    }

    #[test]
    fn what_is_encrypted_is_read_with_its_key_and_never_looks_the_same() {
        for payload in ["", "secret"] {
            let (one, two) = (sealed(payload), sealed(payload));
            assert_eq!(one.headers[LAYERS_HEADER], "aes-256-gcm;k");
            assert_eq!(one.payload.len(), payload.len() + 44);
            assert_ne!(one.payload, two.payload);
            assert_eq!(encrypting("k").open(&one).unwrap().unwrap(), message(payload));
        }
    }

    #[test]
    fn a_key_that_is_missing_is_named() {
        for (payloads, has) in [(Payloads::new(), "no keys"), (encrypting("new"), "`new`")] {
            let error = payloads.open(&sealed("secret")).unwrap_err();
            assert!(error.is_for_others());
            assert_eq!(
                error.to_string(),
                format!("it is encrypted with key `k`, and this program has {has}")
            );
        }
        let mut two = message("secret");
        let error = Payloads::new().seal(&mut two, Layers::NONE.encrypted()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "payload of job `t` cannot be stored: it is to be encrypted, and this client has no keys: give it some by \
             `Client::payloads`"
        );
    }

    #[test]
    fn after_a_rotation_both_are_read_and_the_new_key_writes() {
        let rotated = Payloads::new().keys(keyring("new").and("k", key_of("k")).unwrap()).encrypt_all();
        assert_eq!(rotated.open(&sealed("secret")).unwrap().unwrap(), message("secret"));
        let mut new = message("p");
        rotated.seal(&mut new, Layers::NONE).unwrap();
        assert_eq!(new.headers[LAYERS_HEADER], "aes-256-gcm;new");
    }

    #[test]
    fn it_is_bound_to_its_task_its_layers_and_its_key() {
        let wrong = |change: &dyn Fn(&mut TaskMessage)| {
            let mut message = sealed("secret");
            change(&mut message);
            let payloads = Payloads::new().keys(keyring("k").and("l", key_of("l")).unwrap());
            assert!(matches!(payloads.open(&message), Err(OpenError::NotAuthentic { .. })));
        };
        wrong(&|message| message.id = "other".to_owned());
        wrong(&|message| message.task_type = "other".to_owned());
        wrong(&|message| message.payload = message.payload.slice(..40));
        wrong(&|message| message.payload = Bytes::new());
        for mark in ["aes-256-gcm;l", "zstd aes-256-gcm;k"] {
            wrong(&|message| {
                message.headers.insert(LAYERS_HEADER.to_owned(), mark.to_owned());
            });
        }
        // Where one text ends and the next begins is part of it.
        let named = |task_type: &str, id: &str| TaskMessage {
            task_type: task_type.to_owned(),
            id: id.to_owned(),
            ..message("p")
        };
        let mut one = named("a1:", "b");
        encrypting("k").seal(&mut one, Layers::NONE).unwrap();
        let two = TaskMessage { payload: one.payload, headers: one.headers, ..named("a", "1:b") };
        assert!(encrypting("k").open(&two).is_err());
        // Queues may change: tasks are moved.
        let moved = TaskMessage { queue: "other".to_owned(), retried: 3, ..sealed("secret") };
        assert!(encrypting("k").open(&moved).is_ok());
    }

    #[test]
    fn who_takes_only_what_is_encrypted_takes_nothing_else() {
        let strict = encrypting("k").only_encrypted();
        assert!(strict.open(&sealed("p")).is_ok());
        assert_eq!(strict.open(&message("p")), Err(OpenError::NotEncrypted));
        assert_eq!(strict.open(&marked("p", "zstd")), Err(OpenError::NotEncrypted));
    }

    #[test]
    fn names_of_keys_are_checked() {
        let long = "k".repeat(65);
        for name in ["", " ", "a b", "a;b", "a\n", &long] {
            let error = Keyring::new(name, key_of("k")).unwrap_err().to_string();
            assert!(error.contains("1 to 64 letters, digits"), "{error}");
        }
        let error = keyring("k").and("k", key_of("k")).unwrap_err();
        assert_eq!(error.to_string(), "invalid setting `keyring`: two keys have the name `k`");
    }

    #[test]
    fn the_format_is_what_the_guide_says() {
        // Made by another implementation, in Python.
        let stored = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b\
                      e0b0dbb2c48582171dcfdd20aeb4d0447059d4e48844";
        let digits: Vec<u8> = stored
            .bytes()
            .map(|digit| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap())
            .collect();
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let opened = encrypting("k").open(&marked(bytes, "aes-256-gcm;k")).unwrap().unwrap();
        assert_eq!(opened.payload, "secret");
    }

    proptest! {
        #[test]
        fn what_was_changed_anywhere_does_not_open(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let sealed = sealed("secret");
            let mut bytes = sealed.payload.to_vec();
            bytes[at.index(sealed.payload.len())] ^= 1 << bit;
            let changed = TaskMessage { payload: bytes.into(), ..sealed };
            prop_assert_eq!(encrypting("k").open(&changed), Err(OpenError::NotAuthentic { key: "k".to_owned() }));
        }

        #[test]
        fn anything_for_an_encrypted_payload_is_an_error(payload in prop::collection::vec(any::<u8>(), 0..200), mark: String) {
            prop_assert!(encrypting("k").open(&marked(payload.clone(), "aes-256-gcm;k")).is_err());
            prop_assert!(encrypting("k").open(&marked(payload, &mark)).is_err());
        }
    }
}
