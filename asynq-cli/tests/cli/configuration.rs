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
    assert!(wrong.err.contains("known are: here, away"), "{wrong:?}");
    let shown = ran(&["config", "show", "--columns", "name,origin", "-o", "csv", "-p", "hunter2"]);
    let named = format!("redis_url,\"{path}, context here\"\n");
    assert!(shown.out.contains(&named) && shown.out.contains("password,command line"), "{shown:?}");
    assert!(!ran(&["config", "show", "-p", "hunter2"]).out.contains("hunter2"));

    fs::write(&file, "redis_ulr = \"x\"\n").unwrap();
    let wrong = ran(&["queue", "ls"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("`redis_ulr` is no setting; known are redis_url"), "{wrong:?}");
    fs::write(&file, "redis_url = \n").unwrap();
    assert_eq!(ran(&["queue", "ls"]).code, 2);
    fs::remove_file(&file).unwrap();
    assert_eq!(ran(&["queue", "ls"]).code, 2, "a file that is named must be there");

    // A variable without our prefix is somebody else's.
    let ran = ended(program(&["queue", "ls", "-u", &redis.url()]).env("DB", "x").env("USERNAME", "y"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = ended(program(&["queue", "ls", "-u", &redis.url()]).env("ASYNQ_DB", "x"));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("environment, ASYNQ_DB"), "{ran:?}");
}
