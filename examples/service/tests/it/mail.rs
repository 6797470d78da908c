//! Mails, and servers that take them or not.

use std::time::Duration;

use asynq::TaskState;
use asynq::testing::Rig;
use service::jobs::{SendWelcome, worker};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::{outbox, settings};

/// One conversation with a mail server that answers to recipients like this: what the client said.
async fn converse(connection: TcpStream, to_recipients: &str) -> Vec<String> {
    let (reader, mut writer) = connection.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 here\r\n").await.unwrap();
    let (mut said, mut in_text) = (Vec::new(), false);
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.as_str() {
            "." => "250 taken",
            _ if in_text => "",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            line if line.starts_with("RCPT") => to_recipients,
            _ => "250 fine",
        };
        in_text = (in_text && line != ".") || line == "DATA";
        if !answer.is_empty() {
            writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
        said.push(line);
    }
    said
}

#[tokio::test]
async fn a_mail_goes_to_the_mail_server() {
    let data = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&data);
    settings.smtp = Some(listener.local_addr().unwrap().to_string());
    // Away for a moment, then it takes what comes.
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut said = Vec::new();
        for to_recipients in ["451 later", "250 fine"] {
            let (connection, _) = listener.accept().await.unwrap();
            said = converse(connection, to_recipients).await;
        }
        said
    });

    {
        let rig = Rig::new().server(|server| worker(server, &settings).unwrap());
        SendWelcome::new("ann@example.com", "Ann").enqueue(&rig).await.unwrap();
        let report = rig.advance(Duration::from_secs(60)).await;
        assert_eq!((report.retried(), report.succeeded()), (1, 1), "{report}");
    }
    let said = server.join_next().await.unwrap().unwrap();
    assert!(said.iter().any(|line| line == "To: ann@example.com"), "{said:#?}");
    assert_eq!(outbox(data.path()), Vec::<String>::new());
}

#[tokio::test]
async fn an_address_that_is_none_is_given_up_at_once() {
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::new().server(|server| worker(server, &settings(&data)).unwrap());
    SendWelcome::new("nobody", "Ann").enqueue(&rig).await.unwrap();
    let report = rig.drain().await;
    assert_eq!((report.archived(), report.retried()), (1, 0), "{report}");
    assert_eq!(rig.in_state::<SendWelcome>(TaskState::Archived).len(), 1);
}
