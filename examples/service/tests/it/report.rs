//! A year of nightly reports.

use std::time::Duration;

use asynq::testing::Rig;
use jiff::Zoned;
use service::jobs::{NightlyReport, worker};
use service::users::{User, Users};

use crate::support::{outbox, settings};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn each_night_of_a_year_reports_on_the_day_before() {
    let data = tempfile::tempdir().unwrap();
    let users = Users::in_folder(data.path());
    // The first and the last moment of a day that is an hour short, and the moments around it.
    for (email, since) in [
        ("early@example.com", "2026-03-28T23:59:59+01:00[Europe/Rome]"),
        ("first@example.com", "2026-03-29T00:00:00+01:00[Europe/Rome]"),
        ("last@example.com", "2026-03-29T23:59:59+02:00[Europe/Rome]"),
        ("late@example.com", "2026-03-30T00:00:00+02:00[Europe/Rome]"),
    ] {
        let since = since.parse::<Zoned>().unwrap().timestamp();
        users.add(&User { email: email.to_owned(), name: "Somebody".to_owned(), since }).await.unwrap();
    }

    let start = "2026-01-01T00:00:00+01:00[Europe/Rome]".parse::<Zoned>().unwrap();
    let rig = Rig::starting_at(start.timestamp()).server(|server| {
        worker(server, &settings(&data)).unwrap().jobs(asynq::jobs![NightlyReport]).scheduler(true)
    });
    // The first attempt of every night fails, which changes nothing about the day.
    rig.fail_attempt::<NightlyReport>(1, "no space left");
    let report = rig.advance(365 * DAY).await;
    assert_eq!((report.retried(), report.succeeded(), report.archived()), (365, 365, 0));

    let mails = outbox(data.path());
    assert_eq!(mails.len(), 365);
    let of_that_day: Vec<_> = mails.iter().filter(|mail| mail.contains("Report of 2026-03-29")).collect();
    let [mail] = of_that_day[..] else { panic!("{} reports", of_that_day.len()) };
    assert!(mail.contains("first@") && mail.contains("last@"), "{mail}");
    assert!(!mail.contains("early@") && !mail.contains("late@"), "{mail}");
}
