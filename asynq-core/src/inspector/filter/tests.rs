//! What filters fit, and what is said of those that are wrong.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::Filter;
use crate::inspector::{Mask, Masks};
use crate::task::{TaskInfo, TaskState};
use crate::wire::TaskMessage;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn task() -> TaskInfo {
    let message = TaskMessage {
        id: "0198-abc".to_owned(),
        queue: "mail-eu".to_owned(),
        task_type: "email:Send".to_owned(),
        payload: Bytes::from_static(
            br#"{"to":"Ann B","n":9007199254740993,"user":{"tags":["x","y"]},"price":9.5}"#,
        ),
        headers: [("tenant".to_owned(), "acme".to_owned())].into_iter().collect(),
        error_msg: "dial tcp: i/o timeout".to_owned(),
        retry: 25,
        retried: 3,
        last_failed_at: NOW.as_second() - 7_200,
        ..TaskMessage::default()
    };
    let mut info = TaskInfo::stored(&message, TaskState::Retry);
    info.next_process_at = Some(NOW + SignedDuration::from_mins(5));
    info
}

fn fits(filter: &str) -> bool {
    filter.parse::<Filter>().unwrap_or_else(|error| panic!("{error}")).matches(&task(), NOW)
}

#[test]
fn each_word_asks_one_thing() {
    for filter in [
        "",
        "  ",
        "type:email:*",
        "type:EMAIL:send",
        "type:sms:*,email:*",
        "state:retry,archived",
        "queue:mail-?u",
        "id:0198*",
        "error:TIMEOUT",
        "error:\"i/o timeout\"",
        "error_kind:\"dial tcp: i/o timeout\"",
        "payload:ann",
        "payload.to:\"Ann B\"",
        "payload.n:9007199254740993",
        "payload.user.tags.1:y",
        "payload.price:>9.4 payload.price:<=9.5",
        "header.tenant:ac*",
        "retried:3 retried:>2 retried:>=3 retried:<4 max_retry:25",
        "age:>1h age:<3h",
        "due:<10m due:>1m",
        "due:<1d",
        "has:error has:payload,result has:headers",
        "timeout",
        "0198",
        "-type:sms:*",
        "-has:result -is:orphaned -state:active",
        "-\"nothing of this\"",
    ] {
        assert!(fits(filter), "{filter}");
    }
    for filter in [
        "type:email",
        "type:\"email:*\"",
        "state:archived",
        "payload.n:9007199254740992",
        "payload.user.tags.2:*",
        "payload.price:>9.5",
        "payload.to:>1",
        "header.tenant:x header.other:*",
        "-timeout",
        "age:>3h",
        "due:>10m",
        "has:result",
        "type:email:* state:active",
        "result:x",
        "group:*x",
    ] {
        assert!(!fits(filter), "{filter}");
    }
}

#[test]
fn tells_where_it_need_not_look() {
    let states = |filter: &str| filter.parse::<Filter>().unwrap().states().collect::<Vec<_>>();
    assert_eq!(states("type:x"), TaskState::ALL);
    assert_eq!(states("state:retry,archived -state:archived"), [TaskState::Retry]);
    let filter: Filter = "queue:mail-*".parse().unwrap();
    assert!(filter.may_match_queue("mail-eu") && !filter.may_match_queue("sms"));
}

#[test]
fn what_is_wrong_is_marked() {
    let error = |filter: &str| filter.parse::<Filter>().unwrap_err().to_string();
    assert_eq!(
        error("type:a state:retri"),
        "unknown task state \"retri\"; known are active, pending, scheduled, retry, archived, completed, aggregating\n\
         \u{20} type:a state:retri\n\
         \u{20}              ^^^^^"
    );
    assert!(error("email:send").contains("quote it: \"email:send\"\n  email:send\n  ^^^^^"));
    for (filter, part, column, length) in [
        ("type:", "needs a value", 4, 1),
        ("a -", "a minus must be followed", 2, 1),
        ("error:\"x", "does not end", 6, 1),
        ("error:\"x\"y", "a blank must separate", 9, 1),
        ("retried:>x", "whole number", 8, 2),
        ("age:2h", "needs `<` or `>`", 4, 2),
        ("age:>fortnight", "length of time", 4, 10),
        ("has:lunch", "a task may have: payload", 4, 5),
        ("is:odd", "is:orphaned", 3, 3),
        ("payload.a:>b", "must be a number", 10, 2),
        ("é:x", "no part of a filter", 0, 1),
    ] {
        let text = error(filter);
        assert!(text.contains(part), "{filter}: {text}");
        let mark = format!("  {:column$}{}", "", "^".repeat(length));
        assert_eq!(text.lines().nth(2), Some(mark.as_str()), "{text}");
    }
}

/// No text makes it panic, and the place of an error is within the text.
#[test]
fn any_text_is_a_filter_or_an_error() {
    let parts = [
        "type", "payload", ".", "a", "state", "retry", ":", ",", "\"", "*", "?", "\\", "-", ">", "<", "=",
        " ", "\n", "é", "😀", "9", "2h", "has", "age",
    ];
    for _ in 0..50_000 {
        let text: String =
            (0..fastrand::usize(..12)).map(|_| parts[fastrand::usize(..parts.len())]).collect();
        match text.parse::<Filter>() {
            Ok(filter) => {
                filter.matches(&task(), NOW);
                assert_eq!(filter.to_string(), text);
            }
            Err(error) => {
                assert!(text.get(error.place()).is_some(), "{:?} in {text:?}", error.place());
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

#[test]
fn through_masks_nothing_hidden_is_found() {
    let masks: Masks = ["password", "tenant"].iter().map(|text| text.parse::<Mask>().unwrap()).collect();
    let task = TaskInfo {
        payload: r#"{"user":{"name":"ann","password":"xyzzy"}}"#.into(),
        result: Some("xyzzy".into()),
        headers: [("tenant".to_owned(), "xyzzy".to_owned())].into_iter().collect(),
        ..task()
    };
    let fits = |text: &str, masks: &Masks| {
        text.parse::<Filter>().unwrap().through(masks).map(|filter| filter.matches(&task, NOW))
    };
    for text in ["xyzzy", "payload:xyzzy", "result:xyzzy", "payload.user:*xyzzy*"] {
        assert!(!fits(text, &masks).unwrap(), "{text}");
        assert!(fits(&format!("-{text}"), &masks).unwrap(), "{text}");
        assert!(fits(text, &Masks::default()).unwrap(), "{text}");
    }
    assert!(fits("payload.user.name:ann payload:ann", &masks).unwrap());
    for text in
        ["payload.user.password:x*", "-payload.password:x", "payload.user.password.0:1", "header.Tenant:x"]
    {
        let error = fits(text, &masks).unwrap_err();
        assert!(error.reason().contains("is masked"), "{text}: {error}");
    }
}
