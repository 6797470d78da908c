//! Where Redis is: command line, environment, file.

use std::fs;

use asynq_testkit::RedisServer;

use super::{ended, program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nearest_setting_counts_and_wrong_ones_are_told() {
    let redis = RedisServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let path = file.to_str().unwrap();
    let text = format!(
        "current = \"here\"\nkey_prefix = \"asynq\"\n\n[context.here]\nredis_url = \"{}\"\n\n[context.away]\nredis_url = \
         \"127.0.0.1:1\"\n",
        redis.url()
    );
    fs::write(&file, text).unwrap();
    let ran = |words: &[&str]| ended(program(words).arg("--config").arg(path));
    assert_eq!(ran(&["queue", "ls"]).code, 0);
    assert_eq!(ran(&["queue", "ls", "--context", "away"]).code, 5);
    assert_eq!(ran(&["queue", "ls", "--context", "away", "-u", &redis.url()]).code, 0);
    let wrong = ran(&["queue", "ls", "--context", "nowhere"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("known are: away, here"), "{wrong:?}");
    let shown = ran(&["config", "show", "--columns", "name,origin", "-o", "csv", "-p", "hunter2"]);
    let named = format!("redis_url,\"{path}, context here\"\n");
    assert!(shown.out.contains(&named) && shown.out.contains("password,command line"), "{shown:?}");
    assert!(!ran(&["config", "show", "-p", "hunter2"]).out.contains("hunter2"));

    fs::write(&file, "redis_ulr = \"x\"\n").unwrap();
    let wrong = ran(&["queue", "ls"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("config.toml:1:1: `redis_ulr` is no setting; did you mean `redis_url`?"),
        "{wrong:?}"
    );
    fs::write(&file, "db = 1\n[context.x]\nredis_url = \n").unwrap();
    let wrong = ran(&["queue", "ls"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("config.toml:3:13: ") && wrong.err.lines().count() == 1, "{wrong:?}");
    fs::remove_file(&file).unwrap();
    assert_eq!(ran(&["queue", "ls"]).code, 2, "a file that is named must be there");

    // A variable without our prefix is somebody else's.
    let ran = ended(program(&["queue", "ls", "-u", &redis.url()]).env("DB", "x").env("USERNAME", "y"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = ended(program(&["queue", "ls", "-u", &redis.url()]).env("ASYNQ_DB", "x"));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("environment, ASYNQ_DB"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contexts_are_listed_shown_and_chosen() {
    let redis = RedisServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let path = file.to_str().unwrap();
    let text = format!(
        "# Ours.\n[context.away]\nredis_url = \"redis://u:hunter2@127.0.0.1:1\"\n\n[context.here]\nredis_url = \"{}\" # near\n",
        redis.url()
    );
    fs::write(&file, &text).unwrap();
    let ran = |words: &[&str]| ended(program(words).arg("--config").arg(path));
    let listed = ran(&["context", "list", "-o", "csv"]);
    assert!(listed.out.contains("away,false,") && !listed.out.contains("hunter2"), "{listed:?}");
    assert_eq!(ran(&["context", "show"]).code, 2, "none is chosen");
    assert_eq!(ran(&["context", "use", "here"]).code, 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("current = \"here\"\n{text}"), "all else stays");
    assert!(ran(&["context", "show"]).out.contains(&redis.url()));
    assert!(ran(&["context", "list", "-o", "csv"]).out.contains("here,true,"));
    assert_eq!(ran(&["queue", "ls"]).code, 0);
    let wrong = ran(&["context", "use", "hree"]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean `here`?"), "{wrong:?}");
    let plain = ran(&["config", "show"]);
    assert!(
        !plain.out.contains("Given by") && ran(&["config", "show", "--origin"]).out.contains("context here")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_gos_tool_is_read_when_it_is_named() {
    let redis = RedisServer::start().await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".asynq.yaml");
    let place = redis.url().replace("redis://", "");
    fs::write(&file, format!("uri: {place}\ndb: 0\ntls: false\n")).unwrap();
    let ran = |words: &[&str]| ended(program(words).env("HOME", home.path()).arg("-o").arg("csv"));
    assert_eq!(ran(&["config", "show"]).out, "name,value,origin\n", "not by itself");
    let shown = ran(&["config", "show", "--config", file.to_str().unwrap()]);
    assert!(shown.out.contains(&format!("redis_url,redis://{place}")), "{shown:?}");
    assert_eq!(ran(&["queue", "ls", "--config", file.to_str().unwrap()]).code, 0);
    for (text, part) in [
        ("db: 1\nurl: x\n", ".asynq.yaml:2:1: `url` is no setting"),
        ("db: [1\n", ".asynq.yaml:"),
        ("db:\n  a: 1\n", "must be a value"),
    ] {
        fs::write(&file, text).unwrap();
        let wrong = ran(&["queue", "ls", "--config", file.to_str().unwrap()]);
        assert_eq!(wrong.code, 2, "{wrong:?}");
        assert!(wrong.err.contains(part) && wrong.err.lines().count() == 1, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_read_from_a_file() {
    let redis = RedisServer::start().await;
    redis.command::<()>(&["ACL", "SETUSER", "ann", "on", ">hunter2", "~*", "&*", "+@all"]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "hunter2\nand more\n").unwrap();
    let ran =
        |words: &[&str]| ended(program(&["queue", "ls", "-U", "ann"]).args(words).arg("-u").arg(redis.url()));
    assert_eq!(ran(&["--password-file", file.to_str().unwrap()]).code, 0);
    let wrong = ran(&["-p", "hunter1"]);
    assert!(wrong.code != 0 && !wrong.err.contains("hunter"), "{wrong:?}");
    let asked = ran(&["--password-file", "-"]);
    assert!(asked.code == 2 && asked.err.contains("no terminal to ask on"), "{asked:?}");
}
