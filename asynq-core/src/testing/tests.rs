//! The rig, by what its users do with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::client::Enqueue;
use crate::job::{Codec, CodecError, Job, JobOptions};
use crate::router::RetryPolicy;
use crate::router::{Ctx, Router, SkipRetry, State};
use crate::task::{Task, TaskState};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A job without the macro, which this crate has not.
#[derive(Clone, Debug, PartialEq)]
struct Mail(String);

struct Text;

impl Codec<Mail> for Text {
    fn encode(value: &Mail) -> Result<Bytes, CodecError> {
        Ok(Bytes::from(value.0.clone()))
    }

    fn decode(payload: &[u8]) -> Result<Mail, CodecError> {
        std::str::from_utf8(payload).map(|text| Mail(text.to_owned())).map_err(CodecError::new)
    }
}

impl Job for Mail {
    const NAME: &'static str = "mail";
    const OPTIONS: JobOptions = JobOptions::new().queue("outbox").retry(3);
    type Codec = Text;
    type Output = u32;
}

/// Counts its runs.
fn counting() -> (Arc<AtomicU32>, Rig) {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let router = Router::new()
        .route("mail", move |_: Ctx| {
            let count = counted.fetch_add(1, Ordering::SeqCst) + 1;
            std::future::ready(Ok::<_, String>(count))
        })
        .unwrap();
    (runs, Rig::new().router(router))
}

async fn send(rig: &Rig, to: &str) {
    rig.client().enqueue(Mail(to.to_owned())).await.unwrap();
}

/// The message of an assertion that fails.
fn failure(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn drain_runs_what_is_due_and_tells_how_it_ended() {
    let (runs, rig) = counting();
    send(&rig, "ann").await;
    send(&rig, "bob").await;
    Enqueue::new(Mail("eve".to_owned()), &rig).process_in(HOUR).await.unwrap();
    let report = rig.drain().await;
    assert_eq!((report.len(), report.succeeded(), report.failed()), (2, 2, 0));
    let payloads: Vec<_> = report.attempts().iter().map(|attempt| attempt.task.payload.clone()).collect();
    assert_eq!(payloads, ["ann", "bob"]);
    assert!(rig.drain().await.is_empty());
    assert_eq!(rig.advance(HOUR).await.succeeded(), 1);
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    rig.assert_nothing_enqueued();
}

#[tokio::test]
async fn tasks_that_a_task_enqueues_run_in_the_same_drain() {
    let router = Router::new()
        .route("first", async |ctx: Ctx| {
            ctx.client().enqueue(Mail("then".to_owned())).await?;
            Ok::<_, crate::Error>(())
        })
        .unwrap()
        .route("mail", async |_: Ctx| ())
        .unwrap();
    let rig = Rig::new().router(router);
    rig.client().enqueue(Task::new("first", "").unwrap()).await.unwrap();
    let report = rig.drain().await;
    report.assert_success();
    assert_eq!(report.len(), 2);
}

#[tokio::test]
async fn a_retry_over_three_days_takes_no_time() {
    let (runs, rig) = counting();
    let rig = rig.server(|server| server.retry_policy(RetryPolicy::Fixed(DAY)));
    for attempt in 1..=3 {
        rig.fail_attempt::<Mail>(attempt, format!("boom {attempt}"));
    }
    send(&rig, "ann").await;
    let began = rig.now();
    let report = rig.advance(2 * DAY + 23 * HOUR).await;
    assert_eq!((report.retried(), report.succeeded()), (3, 0));
    assert_eq!(report.errors(), ["boom 1", "boom 2", "boom 3"]);
    let waiting = rig.assert_enqueued::<Mail>(|mail| mail.0 == "ann");
    assert_eq!((waiting.info.retried, waiting.info.state), (3, TaskState::Retry));
    let report = rig.advance(HOUR).await;
    assert_eq!(report.succeeded(), 1);
    assert_eq!(report.attempts()[0].at.duration_since(began), (3 * DAY).try_into().unwrap());
    assert_eq!(report.attempts()[0].run, 4);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn retries_that_are_used_up_end_in_the_archive() {
    let (_, rig) = counting();
    (1..=4).for_each(|attempt| rig.fail_attempt::<Mail>(attempt, "boom"));
    send(&rig, "ann").await;
    let report = rig.advance(30 * DAY).await;
    assert_eq!((report.retried(), report.archived(), report.failed()), (3, 1, 4));
    assert_eq!(rig.in_state::<Mail>(TaskState::Archived)[0].info.last_error, "boom");
    let message = failure(|| report.assert_success());
    assert!(message.contains("archived") && message.contains("boom"), "{message}");
}

#[tokio::test]
async fn a_year_of_a_chain_that_enqueues_itself_takes_no_time() {
    let router = Router::new()
        .route("mail", async |ctx: Ctx| {
            Enqueue::new(Mail("again".to_owned()), &ctx).process_in(DAY).await?;
            Ok::<_, crate::Error>(())
        })
        .unwrap();
    let rig = Rig::new().router(router);
    send(&rig, "first").await;
    let report = rig.advance(365 * DAY).await;
    report.assert_success();
    assert_eq!(report.len(), 366);
    rig.assert_enqueued::<Mail>(|mail| mail.0 == "again");
}

#[tokio::test]
async fn random_choices_are_the_same_in_every_run() {
    async fn times(rig: Rig) -> Vec<jiff::Timestamp> {
        (1..=3).for_each(|attempt| rig.fail_attempt::<Mail>(attempt, "boom"));
        send(&rig, "ann").await;
        rig.advance(DAY).await.attempts().iter().map(|attempt| attempt.at).collect()
    }
    let first = times(counting().1).await;
    assert_eq!(first, times(counting().1).await);
    assert_ne!(first, times(counting().1.seed(7)).await);
}

#[tokio::test]
async fn a_worker_that_dies_before_the_handler_loses_nothing() {
    let (runs, rig) = counting();
    rig.crash_attempt::<Mail>(1, CrashPoint::BeforeHandler);
    send(&rig, "ann").await;
    let report = rig.drain().await;
    assert_eq!((report.crashed(), report.succeeded()), (1, 0));
    assert_eq!(rig.in_state::<Mail>(TaskState::Active).len(), 1);
    let report = rig.advance(Duration::from_secs(10)).await;
    report.assert_success();
    assert_eq!((report.len(), runs.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(report.attempts()[0].task.retried, 0);
}

#[tokio::test]
async fn a_worker_that_dies_after_the_handler_makes_it_run_twice() {
    let (runs, rig) = counting();
    rig.crash_attempt::<Mail>(1, CrashPoint::AfterHandler);
    send(&rig, "ann").await;
    rig.drain().await;
    let report = rig.advance(Duration::from_secs(10)).await;
    assert_eq!((report.succeeded(), runs.load(Ordering::SeqCst)), (1, 2));
}

#[tokio::test]
async fn a_task_of_which_three_workers_die_is_archived() {
    let (runs, rig) = counting();
    (1..=3).for_each(|attempt| rig.crash_attempt::<Mail>(attempt, CrashPoint::BeforeHandler));
    send(&rig, "ann").await;
    let report = rig.advance(Duration::from_secs(60)).await;
    assert_eq!((report.crashed(), runs.load(Ordering::SeqCst)), (3, 0));
    let archived = rig.in_state::<Mail>(TaskState::Archived);
    assert!(archived[0].info.last_error.starts_with("poison pill"), "{}", archived[0].info.last_error);
}

#[tokio::test]
async fn a_frozen_workers_lease_runs_out_and_what_it_makes_later_does_not_count() {
    let (runs, rig) = counting();
    send(&rig, "ann").await;
    let frozen = rig.freeze_worker().await;
    assert!(rig.drain().await.is_empty(), "the frozen worker holds it");
    assert_eq!(rig.advance(Duration::from_secs(30)).await.succeeded(), 1);
    let late = frozen.thaw().await;
    assert_eq!((late.len(), late.refused()), (1, 1), "{late}");
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    rig.assert_nothing_enqueued();
}

#[tokio::test]
async fn a_worker_that_wakes_in_time_goes_on() {
    let (_, rig) = counting();
    send(&rig, "ann").await;
    let frozen = rig.freeze_worker().await;
    assert!(rig.advance(Duration::from_secs(2)).await.is_empty());
    assert_eq!(frozen.thaw().await.succeeded(), 1);
    assert!(rig.advance(HOUR).await.is_empty());
}

#[tokio::test]
async fn assertions_show_what_is_enqueued_instead() {
    let (_, rig) = counting();
    let message = failure(|| drop(rig.assert_enqueued::<Mail>(|_| true)));
    assert_eq!(message, "no task of `mail` that was wanted is enqueued.\nNothing is stored at all.");

    Enqueue::new(Mail("ann".to_owned()), &rig).process_in(HOUR).await.unwrap();
    rig.client().enqueue(Task::new("other", vec![0xff_u8, 1]).unwrap()).await.unwrap();
    let message = failure(|| drop(rig.assert_enqueued::<Mail>(|mail| mail.0 == "bob")));
    let lines = [
        "no task of `mail` that was wanted is enqueued.",
        "Of this job there is:",
        "  job   state      queue   due         retried  payload",
        "  mail  scheduled  outbox  in 3600s    0 of 3   ann",
        "and of others:",
        "  job    state    queue    due  retried  payload",
        "  other  pending  default  now  0 of 25  (2 bytes)",
    ];
    assert_eq!(message.replace("in 3600s  ", "in 3600s    ").lines().count(), lines.len(), "{message}");
    for (line, wanted) in message.lines().zip(lines) {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(line), words(wanted), "{message}");
    }
    rig.refute_enqueued::<Mail>(|mail| mail.0 == "bob");
    let message = failure(|| rig.refute_enqueued::<Mail>(|mail| mail.0 == "ann"));
    assert!(message.starts_with("a task of `mail` that must not be is enqueued:\n"), "{message}");
    assert!(failure(|| rig.assert_nothing_enqueued()).contains("ann"));
    assert_eq!(rig.enqueued::<Mail>()[0].job, Mail("ann".to_owned()));
}

#[tokio::test]
async fn two_rigs_never_see_each_other() {
    let ((one_runs, one), (other_runs, other)) = (counting(), counting());
    send(&one, "ann").await;
    assert!(other.drain().await.is_empty());
    assert_eq!(one.drain().await.succeeded(), 1);
    assert_eq!((one_runs.load(Ordering::SeqCst), other_runs.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn perform_runs_one_job_through_codec_and_router() {
    let (_, rig) = counting();
    assert_eq!(rig.perform(Mail("ann".to_owned())).await.unwrap(), 1);
    assert!(rig.tasks().is_empty(), "nothing is enqueued");
    rig.fail_attempt::<Mail>(1, "boom");
    assert_eq!(rig.perform(Mail("ann".to_owned())).await.unwrap_err().to_string(), "boom");
    rig.crash_attempt::<Mail>(1, CrashPoint::AfterHandler);
    assert!(rig.perform(Mail("ann".to_owned())).await.unwrap_err().is::<WorkerDied>());
}

#[tokio::test(start_paused = true)]
async fn performing_obeys_panics_time_limits_and_cancellation() {
    let router = Router::new()
        .route("mail", async |ctx: Ctx| {
            match &ctx.payload()[..] {
                b"panic" => panic!("ouch"),
                b"slow" => tokio::time::sleep(HOUR).await,
                _ => ctx.cancelled().await,
            }
            assert_eq!(ctx.state::<u8>(), Some(&7));
            Ok::<_, SkipRetry>(ctx.retried())
        })
        .unwrap();
    let rig = Rig::new().router(router).state(7_u8);
    let mail = |text: &str| Mail(text.to_owned());
    let failed = |result: crate::router::HandlerResult| result.unwrap_err().to_string();
    assert_eq!(failed(rig.perform_with(mail("panic"), TestCtx::new()).await), "panic: ouch");
    let limited = TestCtx::new().timeout(Duration::from_secs(5));
    assert_eq!(failed(rig.perform_with(mail("slow"), limited).await), "context deadline exceeded");
    let cancelled = TestCtx::new().retried(2).cancelled();
    let outcome = rig.perform_with(mail("cancel"), cancelled).await.unwrap();
    assert_eq!(outcome.result.as_deref(), Some(b"2".as_slice()));
}

#[tokio::test]
async fn a_job_is_called_directly_with_a_context_of_the_tests_own() {
    let ctx = TestCtx::new().header("lang", "de").retried(1).max_retry(4).task_id("t1").state(State(3));
    let cancel = ctx.cancel();
    let ctx = ctx.build();
    assert_eq!((ctx.retried(), ctx.max_retry(), ctx.headers()["lang"].as_str()), (1, 4, "de"));
    ctx.write_result("half").await.unwrap();
    let info = ctx.client().broker().task_info(ctx.queue(), ctx.task_id()).await.unwrap().unwrap();
    assert_eq!(info.result.as_deref(), Some(b"half".as_slice()));
    assert!(!ctx.is_cancelled());
    cancel.cancel();
    assert!(ctx.is_cancelled());
    assert_eq!(Ctx::test().retried(), 0);
}

#[tokio::test]
async fn what_is_void_is_told_apart_from_what_succeeded() {
    let router = Router::new()
        .route("mail", async |_: Ctx| Err::<(), _>(crate::router::Revoke::new("no such user")))
        .unwrap();
    let rig = Rig::new().router(router);
    send(&rig, "ann").await;
    let report = rig.drain().await;
    assert_eq!((report.succeeded(), report.attempts()[0].ending), (0, Ending::Revoked));
    assert_eq!(report.errors(), ["no such user"]);
}

#[tokio::test]
async fn a_paused_queue_and_a_queue_that_is_not_served_wait() {
    let (_, rig) = counting();
    send(&rig, "ann").await;
    rig.client().broker().pause(&crate::task::QueueName::new("outbox").unwrap()).await.unwrap();
    assert!(rig.drain().await.is_empty());

    let (_, rig) = counting();
    let rig = rig.server(|server| server.queues([("default", 1)]));
    send(&rig, "ann").await;
    assert!(rig.advance(HOUR).await.is_empty());
}

#[tokio::test]
#[should_panic(expected = "does a job enqueue itself at once?")]
async fn a_job_that_enqueues_itself_without_end_is_stopped() {
    let router = Router::new()
        .route("mail", async |ctx: Ctx| {
            ctx.client().enqueue(Mail("again".to_owned())).await?;
            Ok::<_, crate::Error>(())
        })
        .unwrap();
    let rig = Rig::new().router(router).most_runs(100);
    send(&rig, "first").await;
    rig.drain().await;
}

#[tokio::test]
#[should_panic(expected = "the rig's worker cannot start: no job is registered")]
async fn a_rig_without_any_job_says_so() {
    Rig::new().drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rig_works_on_many_threads() {
    let (_, rig) = counting();
    let rig = rig.server(|server| server.concurrency(4));
    for number in 0..20 {
        send(&rig, &number.to_string()).await;
    }
    assert_eq!(rig.drain().await.succeeded(), 20);
}
