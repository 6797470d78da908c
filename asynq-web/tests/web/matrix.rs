//! What viewers, operators and admins may do, by real HTTP with tokens: every route, in their queues and in others.

use std::net::SocketAddr;

use asynq_web::{Reach, Right, Rights, Token, Users};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::rights::routes;
use crate::site::Site;

/// Status of a request, and what was answered.
async fn ask(address: SocketAddr, token: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let kind =
        if path.starts_with("/api") { "application/json" } else { "application/x-www-form-urlencoded" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

/// Serves a site for other machines too, which is allowed since everybody has to log in.
async fn served(site: &Site, serving: &mut JoinSet<()>) -> SocketAddr {
    let (told, hear) = oneshot::channel();
    let service = site.service.clone();
    serving.spawn(async move {
        let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let told = |address| told.send(address).unwrap();
        service.serve(anywhere, Reach::ThisMachine, told, std::future::pending()).await.unwrap();
    });
    SocketAddr::from(([127, 0, 0, 1], hear.await.unwrap().port()))
}

#[tokio::test]
async fn each_role_may_do_what_it_says_in_its_queues() {
    let roles = [("viewer", Rights::viewer()), ("operator", Rights::operator()), ("admin", Rights::admin())];
    let limits: [&[&str]; 3] = [&[], &["ma*", "other"], &["oth*"]];
    let mut serving = JoinSet::new();
    for (role, rights) in &roles {
        for queues in limits {
            let token = Token::new().unwrap();
            let list = if queues.is_empty() { String::new() } else { format!("queues = {queues:?}\n") };
            let text = format!(
                "[[tokens]]\nname = \"t\"\nsha256 = \"{}\"\nrole = \"{role}\"\n{list}",
                token.sha256()
            );
            let site = Site::with(|ui| ui.users(Users::parse(&text).unwrap()));
            site.seed().await;
            site.enqueue("other", "o1", "{}", |options| options).await;
            let address = served(&site, &mut serving).await;
            let rights =
                if queues.is_empty() { rights.clone() } else { rights.clone().in_queues(queues.to_vec()) };
            for (method, path, body, right) in routes() {
                let is_about_mail = path.contains("mail") || body.contains("mail");
                let is_allowed = if is_about_mail { rights.allow(right, "mail") } else { rights.have(right) };
                let (status, answer) = ask(address, token.secret(), method, path, &body).await;
                let case = format!("{role} {queues:?} {method} {path} {body}: {status} {answer}");
                assert_eq!(status != 403, is_allowed, "{case}");
                assert!(status != 401 && status < 500, "{case}");
            }
            let (_, meta) = ask(address, token.secret(), "GET", "/api/v1/meta", "").await;
            for right in Right::ALL {
                assert_eq!(
                    meta.contains(&format!("\"{}\"", right.as_str())),
                    rights.have(right),
                    "{role} {right:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn heads_of_requests_have_a_largest_size() {
    let site = Site::new();
    let mut serving = JoinSet::new();
    let (told, hear) = oneshot::channel();
    let service = site.service.clone();
    serving.spawn(async move {
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let told = |address| told.send(address).unwrap();
        service.serve(here, Reach::ThisMachine, told, std::future::pending()).await.unwrap();
    });
    let address = hear.await.unwrap();
    let many = "x: 1\r\n".repeat(150);
    let long = format!("x: {}\r\n", "x".repeat(1 << 20));
    for head in [many, long] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // It may be refused before all of it is sent.
        drop(stream.write_all(format!("GET / HTTP/1.1\r\nhost: {address}\r\n{head}\r\n").as_bytes()).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert_eq!(ask(address, "", "GET", "/healthz", "").await.0, 200);
}
