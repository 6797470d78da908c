//! What the real Go library wrote, against ours.

use std::path::Path;

use asynq_testkit::vectors::{Options, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_passes_or_is_listed_with_its_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let report = run(&folder, &Options::default()).await;
    println!("{report}");
    assert!(report.is_good(), "{report}");
}
