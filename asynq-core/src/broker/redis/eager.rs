//! [`Eager`]: a socket that looks again for a moment before it sleeps until an answer comes.
//!
//! A Redis on the same machine answers within some microseconds. To sleep and be woken takes longer than that, for both
//! sides, and much longer on a virtual machine, whose idle processors are taken away. So after something was sent, the
//! answer is looked for until [`LIMIT`] has passed: between two looks, everybody else who can run does. Where answers do
//! not come in time, as from another machine, this is tried only now and then.

use std::io::{self, Read};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long an answer is looked for.
const LIMIT: Duration = Duration::from_micros(200);
/// At most so many answers are slept for before one is looked for again.
const MOST_SLEPT_FOR: u32 = 1024;

/// Who runs between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Who can on the same thread: to wake another takes longer than a look, and it takes the task along.
    Alone,
    /// Another thread of the runtime is woken as well, and may take over: for answers that bring work.
    WithOthers,
}

/// A socket that looks again for a moment before it sleeps until an answer comes.
pub(super) struct Eager<S> {
    socket: S,
    look: Look,
    /// How long an answer is looked for.
    limit: Duration,
    /// When the call was sent whose answer is looked for.
    looking_since: Option<Instant>,
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
    pub(super) fn new(socket: S, look: Look) -> Self {
        Self { socket, look, limit: LIMIT, looking_since: None, patience: Patience::default() }
    }

    /// Looks for an answer that is due, and has itself called again as long as it is worth while.
    fn look(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(since) = self.looking_since else { return Poll::Pending };
        let socket = SockRef::from(&self.socket);
        match (&*socket).read(buffer.initialize_unfilled()) {
            Ok(bytes) => {
                buffer.advance(bytes);
                self.looking_since = None;
                self.patience.rewarded();
                Poll::Ready(Ok(()))
            }
            Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&error.kind()) => {
                if since.elapsed() < self.limit {
                    // Another program may need the processor, and it may be Redis.
                    std::thread::yield_now();
                    self.look.poll_again(context);
                } else {
                    self.looking_since = None;
                    self.patience.lost();
                }
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Look {
    /// Has the task polled again once others have run.
    fn poll_again(self, context: &mut Context<'_>) {
        match self {
            Self::Alone => {
                let is_over = pin!(tokio::task::yield_now()).poll(context).is_ready();
                debug_assert!(!is_over, "who yields is polled again");
            }
            // A task that wakes itself can be stolen, which the runtime wakes a thread for.
            Self::WithOthers => context.waker().wake_by_ref(),
        }
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
            // The runtime, too, looks while somebody yields.
            if self.looking_since.take().is_some_and(|since| since.elapsed() < self.limit) {
                self.patience.rewarded();
            }
            return read;
        }
        self.look(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Eager<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.socket).poll_write(context, bytes))?;
        self.looking_since = self.patience.is_there().then(Instant::now);
        if self.looking_since.is_some() {
            // Who writes may have read before, and not mean to read again.
            self.look.poll_again(context);
        }
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// Somebody who sends back what comes.
    async fn echo() -> (TcpStream, tokio::task::JoinSet<u64>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = tokio::task::JoinSet::from_iter([async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (mut from, mut to) = socket.split();
            tokio::io::copy(&mut from, &mut to).await.unwrap()
        }]);
        (TcpStream::connect(address).await.unwrap(), echo)
    }

    /// Whoever waits, and however late answers are, all bytes come once and in order.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_byte_is_read_once_by_who_looks_and_by_who_sleeps() {
        for look in [Look::Alone, Look::WithOthers] {
            every_byte_is_read_once(look).await;
        }
    }

    async fn every_byte_is_read_once(look: Look) {
        let (socket, echo) = echo().await;
        let mut eager = Eager::new(socket, look);
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

    /// A socket that counts how often it was found to have nothing.
    struct Counting(TcpStream, Arc<AtomicUsize>);

    impl std::os::fd::AsFd for Counting {
        fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl AsyncRead for Counting {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let read = Pin::new(&mut self.0).poll_read(context, buffer);
            if read.is_pending() {
                self.1.fetch_add(1, Ordering::Relaxed);
            }
            read
        }
    }

    impl AsyncWrite for Counting {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(context, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(context)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(context)
        }
    }

    /// The library that drives our connections reads and writes in an order of its own, which has changed before.
    #[cfg(unix)]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn answers_are_looked_for_on_a_connection() {
        for look in [Look::Alone, Look::WithOthers] {
            answers_are_looked_for(look).await;
        }
    }

    #[cfg(unix)]
    async fn answers_are_looked_for(look: Look) {
        const CALLS: usize = 100;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let looks = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&looks);
        let mut server = tokio::task::JoinSet::new();
        // Answers once the client has looked several times, or after long enough.
        server.spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (mut buffer, mut not_looked_for) = ([0; 4096], 0);
            while let Ok(1..) = socket.read(&mut buffer).await {
                let (before, asked) = (seen.load(Ordering::Relaxed), Instant::now());
                let has_looked = || seen.load(Ordering::Relaxed) > before + 3;
                while !has_looked() && asked.elapsed() < Duration::from_secs(2) {
                    tokio::task::yield_now().await;
                }
                not_looked_for += usize::from(!has_looked());
                socket.write_all(b"+PONG\r\n").await.unwrap();
            }
            not_looked_for
        });
        let socket = Counting(TcpStream::connect(address).await.unwrap(), looks);
        // However busy the machine is, it looks until the answer is there.
        let eager = Eager { limit: Duration::from_secs(60), ..Eager::new(socket, look) };
        let login = redis::RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = redis::AsyncConnectionConfig::new();
        let (mut connection, driver) =
            redis::aio::MultiplexedConnection::new_with_config(&login, eager, config).await.unwrap();
        let driver = tokio::task::JoinSet::from_iter([driver]);
        for _ in 0..CALLS {
            let answer: String = redis::cmd("PING").query_async(&mut connection).await.unwrap();
            assert_eq!(answer, "PONG");
        }
        drop((connection, driver));
        assert_eq!(server.join_all().await, [0], "answers that were not looked for");
    }
}
