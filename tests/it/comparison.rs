//! What `docs/comparison.md` shows is what the programs beside it are.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            _ if path.ends_with("target") => {}
            _ if path.is_dir() => sources(&path, found),
            Some("go" | "rs") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn every_block_of_code_stands_in_a_program() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut files = Vec::new();
    sources(&docs.join("comparison"), &mut files);
    let programs: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();

    let page = fs::read_to_string(docs.join("comparison.md")).unwrap();
    let mut blocks = 0;
    for language in ["go", "rust"] {
        for block in page.split(&format!("```{language}\n")).skip(1) {
            let code = block.split("```").next().unwrap();
            assert!(programs.iter().any(|program| program.contains(code)), "in no program:\n{code}");
            blocks += 1;
        }
    }
    assert_eq!(blocks, 12);
}
