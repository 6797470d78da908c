//! What every screen looks like, at three sizes: files beside this one, written anew by `ASYNQ_BLESS=1 cargo test`.

use std::fmt::Write as _;
use std::path::Path;

use asynq_core::task::TaskOptions;

use super::desk::{CAREFUL, Desk};
use super::world;
use crate::commands::dash::model::Options;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Scenes: a name, and the keys that lead there.
const SCENES: &[(&str, &str)] = &[
    ("overview", "1"),
    ("queues", "2"),
    ("active", "j Enter"),
    ("pending", "j Enter → x"),
    ("groups", "Enter → →"),
    ("group", "Enter → → j Enter"),
    ("scheduled", "Enter → → →"),
    ("retry", "j Enter → → → →"),
    ("archived", "j Enter → → → → →"),
    ("completed", "j Enter ← ←"),
    ("all-tasks", "3"),
    ("servers", "4 Tab"),
    ("schedulers", "5"),
    ("metrics", "6 j j"),
    ("redis", "7"),
    ("task", "j Enter → Enter"),
    ("task-binary", "j Enter → j Enter"),
    ("help", "2 ?"),
    ("confirm", "j Enter → A K"),
    ("filter", "3 / \"state:archived_error:timeout Enter"),
    ("filter-wrong", "3 / \"state:archived_tipe:x Enter"),
    ("palette", "2 : \"pau"),
];

/// Compares a screen with the file of this name, or writes it.
fn check(name: &str, screens: &str) {
    check_file(&format!("asynq-cli/src/commands/dash/tests/screens/{name}.txt"), screens);
}

fn check_file(path: &str, screens: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("ASYNQ_BLESS").is_some() {
        return std::fs::write(&file, screens).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(expected == screens, "it looks otherwise than {path}:\n{screens}");
}

async fn at_all_sizes(keys: &str) -> String {
    let mut screens = String::new();
    for size in SIZES {
        let mut desk = Desk::new(world::full().await, CAREFUL, size).await;
        desk.press(keys).await;
        writeln!(screens, "=== {} x {}: {keys}\n{}", size.0, size.1, desk.screen()).unwrap();
    }
    screens
}

#[tokio::test]
async fn every_screen_at_every_size() {
    for (name, keys) in SCENES {
        check(name, &at_all_sizes(keys).await);
    }
}

#[tokio::test]
async fn every_screen_of_an_empty_store() {
    let mut screens = String::new();
    let mut desk = Desk::new(world::empty(), Options { read_only: true, ..CAREFUL }, SIZES[0]).await;
    for key in ["1", "2", "3", "4", "5", "6", "7"] {
        desk.press(key).await;
        writeln!(screens, "=== {key}\n{}", desk.screen()).unwrap();
    }
    check("empty", &screens);
}

#[tokio::test]
async fn a_thousand_groups_and_none() {
    let client = world::empty();
    for n in 0..1_000 {
        let options = TaskOptions::new().group(format!("group-{n:04}"));
        world::enqueue(&client, "many", &format!("t{n}"), b"{}", options).await;
    }
    world::enqueue(&client, "none", "t", b"{}", TaskOptions::new()).await;
    let mut desk = Desk::new(client, CAREFUL, SIZES[0]).await;
    desk.press("Enter → → G").await;
    check("groups-1000", &desk.screen());
    desk.press("Enter").await;
    assert!(desk.screen().contains("group-0999") && desk.screen().contains("t999"), "{}", desk.screen());
    desk.press("Esc / \"0500 Enter").await;
    assert!(desk.screen().contains("1 group\n"), "{}", desk.screen());
    // There is nothing to open: Go's dashboard ended here.
    desk.press("Esc j Enter → → Enter j Enter").await;
    check("groups-0", &desk.screen());
}

/// The pictures of the documentation.
#[tokio::test]
async fn pictures() {
    for (name, tab) in [("overview", "1"), ("queues", "2")] {
        let client = world::full().await;
        let mut desk = Desk::new(client.clone(), CAREFUL, (100, 30)).await;
        desk.press(tab).await;
        for round in 0..120 {
            world::work(&client, round).await;
            desk.wait(std::time::Duration::from_secs(2)).await;
        }
        check_file(&format!("docs/images/dash-{name}.svg"), &super::svg::svg(&desk.buffer(true)));
    }
}

#[tokio::test]
async fn a_terminal_that_is_too_small_is_told_so() {
    let desk = Desk::new(world::full().await, CAREFUL, (40, 10)).await;
    assert!(desk.screen().starts_with("The terminal is too small: 40 × 10"), "{}", desk.screen());
}
