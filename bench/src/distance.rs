//! [`Distance`]: a Redis that is further away than it is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::pause;

/// Passes on what clients and Redis say to each other, later. What is on its way at the same time is not held up.
pub(crate) struct Distance {
    address: String,
}

impl Distance {
    /// To the Redis at this address: a round trip takes so much longer. It is there until this program ends.
    pub(crate) fn to(redis: &str, round_trip: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let redis = redis.to_owned();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A client that cannot be connected sees its connection end.
                drop(TcpStream::connect(&redis).map_err(anyhow::Error::from).and_then(|server| {
                    pass(client.try_clone()?, server.try_clone()?, round_trip / 2)?;
                    pass(server, client, round_trip / 2)
                }));
            }
        });
        Ok(Self { address })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

/// Passes on what one says to another, until either is gone.
fn pass(mut from: TcpStream, to: TcpStream, later: Duration) -> Result<()> {
    from.set_nodelay(true)?;
    to.set_nodelay(true)?;
    let (sender, receiver): (Sender<(Instant, Vec<u8>)>, _) = channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let bytes = buffer.get(..read).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + later, bytes)).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || write_when_due(to, &receiver));
    Ok(())
}

fn write_when_due(mut to: TcpStream, coming: &Receiver<(Instant, Vec<u8>)>) {
    for (due, bytes) in coming {
        pause(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    // It has gone already, if this fails.
    drop(to.shutdown(Shutdown::Write));
}
