//! The example of a job and its handler in different crates: what each of its programs is made of.

use std::collections::BTreeSet;
use std::process::Command;

/// The names of all packages that a program of the example is built from.
fn packages(of: &str) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--package", of])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    text.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[test]
fn a_producer_has_nothing_of_what_the_handler_needs() {
    let (web, worker) = (packages("contract-web"), packages("contract-worker"));
    for shared in ["contract-jobs", "asynq"] {
        assert!(web.contains(shared) && worker.contains(shared), "{shared}");
    }
    for of_the_handler in ["contract-worker", "tempfile", "anyhow"] {
        assert!(worker.contains(of_the_handler), "{of_the_handler}");
        assert!(!web.contains(of_the_handler), "{of_the_handler}");
    }
}
