//! [`Eager`]: a socket that looks again for a moment before it sleeps until an answer comes.
//!
//! A Redis on the same machine answers within some microseconds. To sleep and be woken takes longer than that, for both
//! sides, and much longer on a virtual machine, whose idle processors are taken away. So while a call is alone on its
//! connection, and it is that call which everybody waits for, its answer is looked for until [`LIMIT`] has passed. Where
//! answers do not come in time, as from another machine, this is tried only now and then.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long an answer is looked for.
const LIMIT: Duration = Duration::from_micros(200);
/// Between two looks: a look keeps the answer from being delivered.
const PAUSE: u32 = 16;
/// At most so many answers are slept for before one is looked for again.
const MOST_SLEPT_FOR: u32 = 1024;

/// A socket that looks again for a moment before it sleeps until an answer comes.
pub(super) struct Eager<S> {
    socket: S,
    /// How many calls wait for an answer on this connection.
    calls: Arc<AtomicUsize>,
    /// Whether something was written since something was read.
    is_answer_due: bool,
    patience: Patience,
}

/// Whether it is worth while to look.
#[derive(Debug, Default)]
struct Patience {
    /// So many answers are slept for first.
    sleep_for: u32,
    /// How many it was after the last look that found nothing.
    slept_for: u32,
}

impl Patience {
    /// Whether to look for the answer that is due now.
    fn is_there(&mut self) -> bool {
        let is_there = self.sleep_for == 0;
        self.sleep_for = self.sleep_for.saturating_sub(1);
        is_there
    }

    /// The answer came while somebody looked.
    fn rewarded(&mut self) {
        self.slept_for = 0;
    }

    /// It did not.
    fn lost(&mut self) {
        self.slept_for = (self.slept_for * 2).clamp(1, MOST_SLEPT_FOR);
        self.sleep_for = self.slept_for;
    }
}

impl<S> Eager<S>
where
    for<'a> SockRef<'a>: From<&'a S>,
{
    /// A socket on which so many calls wait for an answer.
    pub(super) fn new(socket: S, calls: Arc<AtomicUsize>) -> Self {
        Self { socket, calls, is_answer_due: false, patience: Patience::default() }
    }

    /// Looks for the answer to a lone call.
    fn look(&mut self, buffer: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        let is_due = std::mem::take(&mut self.is_answer_due);
        if !is_due || self.calls.load(Ordering::Relaxed) != 1 || !self.patience.is_there() {
            return None;
        }
        let socket = SockRef::from(&self.socket);
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            match (&*socket).read(buffer.initialize_unfilled()) {
                Ok(bytes) => {
                    buffer.advance(bytes);
                    self.patience.rewarded();
                    return Some(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    (0..PAUSE).for_each(|_| std::hint::spin_loop());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Some(Err(error)),
            }
        }
        self.patience.lost();
        None
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Eager<S>
where
    for<'a> SockRef<'a>: From<&'a S>,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // First as everybody does, so that we are woken if nothing is found.
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        if read.is_ready() {
            self.is_answer_due = false;
            return read;
        }
        self.look(buffer).map_or(Poll::Pending, Poll::Ready)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Eager<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.socket).poll_write(context, bytes))?;
        self.is_answer_due = true;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn who_finds_nothing_sleeps_longer_each_time_and_looks_again() {
        let mut patience = Patience::default();
        let mut looks = Vec::new();
        for answer in 0..5_000 {
            if patience.is_there() {
                looks.push(answer);
                patience.lost();
            }
        }
        let apart: Vec<i32> = looks.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(apart[..11], [2, 3, 5, 9, 17, 33, 65, 129, 257, 513, 1025]);
        assert!(apart[11..].iter().all(|&apart| apart == 1025), "{apart:?}");
    }

    #[test]
    fn who_finds_the_answer_looks_for_the_next_one() {
        let mut patience = Patience::default();
        (0..7).for_each(|_| patience.lost());
        while !patience.is_there() {}
        patience.rewarded();
        assert!(patience.is_there() && patience.is_there());
        patience.lost();
        assert!(!patience.is_there());
        assert!(patience.is_there(), "as at the start");
    }

    /// Whoever waits, and however late answers are, all bytes come once and in order.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_byte_is_read_once_by_who_looks_and_by_who_sleeps() {
        for calls in [0, 1, 2] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let echo = tokio::task::JoinSet::from_iter([async move {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (mut from, mut to) = socket.split();
                tokio::io::copy(&mut from, &mut to).await.unwrap()
            }]);
            let socket = TcpStream::connect(address).await.unwrap();
            let mut eager = Eager::new(socket, Arc::new(AtomicUsize::new(calls)));
            let mut sent = 0;
            for round in 0..2_000_u64 {
                let bytes = round.to_le_bytes().repeat(1 + usize::try_from(round).unwrap() % 100);
                eager.write_all(&bytes).await.unwrap();
                let mut back = vec![0; bytes.len()];
                eager.read_exact(&mut back).await.unwrap();
                assert_eq!(back, bytes, "{round}");
                sent += bytes.len() as u64;
            }
            eager.shutdown().await.unwrap();
            assert_eq!(eager.read(&mut [0]).await.unwrap(), 0);
            assert_eq!(echo.join_all().await, [sent]);
        }
    }
}
