//! [`Proxy`]: a network that fails as it is told.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What goes wrong on the way. Bytes are never invented, repeated or left out of a stream that goes on: a connection
/// on which anything was held back delivers nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Whatever arrives is passed on so much later, in each direction.
    Slow(Duration),
    /// A connection is closed in the middle of the next request.
    CutRequests,
    /// A connection is closed in the middle of the next reply.
    CutReplies,
    /// Requests arrive, replies do not, and the connection stays open.
    DropReplies,
    /// As the next reply comes, the server's side of a connection ends; requests still arrive.
    HalfClose,
    /// Nobody is there: connections end at once, old ones with their next byte.
    Away,
}

/// A TCP proxy in front of a server on this machine.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    fault: watch::Sender<Fault>,
    _accepting: Mutex<JoinSet<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Reply,
}

impl Proxy {
    /// Starts one in front of this port, without any fault.
    pub async fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (fault, told) = watch::channel(Fault::None);
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((client, _)) = accepted else { return };
                        connections.spawn(pass(client, target, told.clone()));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Self { port, fault, _accepting: Mutex::new(accepting) }
    }

    /// Where it is, as a Redis URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What goes wrong from now on.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// What goes wrong for so long; then nothing does.
    pub async fn suffer(&self, fault: Fault, time: Duration) {
        self.set(fault);
        sleep(time).await;
        self.set(Fault::None);
    }
}

/// One connection, until either side or a fault ends it.
async fn pass(client: TcpStream, target: u16, fault: watch::Receiver<Fault>) {
    if *fault.borrow() == Fault::Away {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let requests = pump(from_client, to_server, Direction::Request, fault.clone());
    let replies = pump(from_server, to_client, Direction::Reply, fault);
    // A cut is an error of either direction, and closes both.
    drop(tokio::try_join!(requests, replies));
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    fault: watch::Receiver<Fault>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut is_silent = false;
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return if is_silent { Ok(()) } else { to.shutdown().await };
        }
        if is_silent {
            continue;
        }
        // What is read after the wait is another matter: the fault may be over by then.
        let now = *fault.borrow();
        match (now, direction) {
            (Fault::Slow(delay), _) => sleep(delay).await,
            (Fault::CutRequests, Direction::Request) | (Fault::CutReplies, Direction::Reply) => {
                to.write_all(&buffer[..count / 2]).await?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            (Fault::Away, _) => return Err(io::ErrorKind::ConnectionReset.into()),
            (Fault::DropReplies, Direction::Reply) => {
                is_silent = true;
                continue;
            }
            (Fault::HalfClose, Direction::Reply) => {
                is_silent = true;
                to.shutdown().await?;
                continue;
            }
            _ => {}
        }
        to.write_all(&buffer[..count]).await?;
    }
}
