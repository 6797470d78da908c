//! Tasks that fit a filter: counted, confirmed, changed.

use super::{done, run, seeded, with_input};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fits_is_counted_first_and_changed_when_confirmed() {
    let (redis, _client) = seeded().await;
    let archive = ["task", "archive", "--filter", "payload.n:>0 state:pending"];
    assert_eq!(done(&redis, &[&archive[..], &["--dry-run"]].concat()).out, "2 tasks would be archived\n");
    assert_eq!(run(&redis, &archive).code, 6, "nobody confirmed it");
    // A filter that fits nothing is no dry run, and nothing has failed.
    let none = done(&redis, &["task", "archive", "--filter", "type:emial", "--yes"]);
    assert_eq!(none.out, "no task fits whose state allows it\n");
    let ids = |state: &str| done(&redis, &["task", "list", "-q", "mail", "-s", state, "--ids"]).out;
    assert_eq!(ids("archived"), "a1\n");
    assert_eq!(done(&redis, &[&archive[..], &["--yes"]].concat()).out, "2 tasks archived, 0 failed\n");
    assert_eq!((ids("pending").as_str(), ids("archived").lines().count()), ("p3\n", 3));

    let json = done(&redis, &["task", "run", "--filter", "state:archived -id:a1", "-y", "-o", "json"]).json();
    assert_eq!((&json["changed"], &json["failed"]), (&2.into(), &0.into()));
    let ran = with_input(&redis, &["task", "delete", "-q", "mail", "-"], "p1\n\np2\nnone\n");
    assert_eq!((ran.code, ran.out.as_str()), (3, "p1: deleted\np2: deleted\n"), "{ran:?}");

    done(&redis, &["task", "move", "-q", "mail", "-i", "p3", "--to", "low"]);
    done(&redis, &["task", "edit", "-q", "low", "-i", "p3", "-l", "new", "--header", "a=b", "--retry", "1"]);
    let task = done(&redis, &["task", "inspect", "-q", "low", "-i", "p3", "-o", "json"]).json();
    assert_eq!(
        (&task["payload"], &task["headers"]["a"], &task["max_retry"]),
        (&"new".into(), &"b".into(), &1.into())
    );
    let whole = done(&redis, &["task", "deleteall", "-q", "mail", "-s", "archived"]);
    assert_eq!(whole.out, "1 tasks deleted\n");
}
