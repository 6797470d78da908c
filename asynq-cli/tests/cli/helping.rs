//! What the program tells of itself: help, man pages, completions.

use serde_json::Value;

use super::{Ran, ended, program, seeded};

fn told(words: &[&str]) -> Ran {
    let ran = ended(&mut program(words));
    assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
    ran
}

#[test]
fn every_command_is_described() {
    let tree = told(&["help", "--json"]).json();
    let mut names = Vec::new();
    walk(&tree, "", &mut names);
    for name in ["asynq task enqueue", "asynq queue list", "asynq wait", "asynq context use"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    let one = told(&["help", "queue", "pause", "--json"]).json();
    assert_eq!(one["arguments"][0]["value"][0], "QUEUE");
    assert!(told(&["help", "task"]).out.contains("enqueue"));
    assert_eq!(told(&["version"]).out, told(&["--version"]).out, "as in Go's tool");
    let wrong = ended(&mut program(&["help", "tsak"]));
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("did you mean `task`?"), "{wrong:?}");

    let folder = tempfile::tempdir().unwrap();
    told(&["man", "--out", folder.path().to_str().unwrap()]);
    for name in names {
        let page = folder.path().join(format!("{}.1", name.replace(' ', "-")));
        assert!(std::fs::read_to_string(&page).is_ok_and(|text| text.contains(".SH NAME")), "{page:?}");
    }
    assert!(told(&["man"]).out.starts_with(".ie"));
}

/// Every command; each must say what it does, and so must its arguments.
fn walk(command: &Value, above: &str, names: &mut Vec<String>) {
    let name = format!("{above} {}", command["name"].as_str().unwrap()).trim().to_owned();
    assert_ne!(command["about"], "", "{name}");
    for argument in command["arguments"].as_array().unwrap() {
        assert_ne!(argument["help"], "", "{name}: {argument}");
    }
    for below in command["commands"].as_array().unwrap() {
        walk(below, &name, names);
    }
    names.push(name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shells_complete_with_names_as_they_are() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(told(&["completions", shell]).out.contains("COMPLETE"), "{shell}");
    }
    let (redis, _client) = seeded().await;
    let url = redis.url();
    let completed = |words: &[&str]| {
        let index = (words.len() - 1).to_string();
        let mut command = program(&[&["--"], words].concat());
        command.env("COMPLETE", "bash").env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_INDEX", index);
        let ran = ended(&mut command);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        ran.out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["asynq", "-u", &url, "task", "list", "-q", ""]), ["low", "mail"]);
    assert_eq!(completed(&["asynq", "-u", &url, "queue", "pause", "m"]), ["mail"]);
    assert_eq!(completed(&["asynq", "-u", &url, "task", "enqueue", "-t", "e"]), ["email:send"]);
    assert_eq!(completed(&["asynq", "task", "list", "-s", "a"]), ["active", "aggregating", "archived"]);
    assert_eq!(
        completed(&["asynq", "-u", "127.0.0.1:1", "task", "list", "-q", ""]),
        [""; 0],
        "Redis is away"
    );
}
