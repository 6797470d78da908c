//! The search against a slow one that looks at every minute, and what users rely on around changes of the clocks.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Schedule;
use asynq_cron::{Spec, When};

const ZONES: [&str; 10] = [
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Antarctica/Troll",
];

/// How far the slow search looks, in minutes.
const LIMIT: i64 = 9 * 24 * 60;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The first instant after `after`, up to `limit` minutes later, whose wall time the specification takes.
fn slowly(spec: &str, zone: &str, after: Timestamp, limit: i64) -> Option<Timestamp> {
    let When::Fields(fields) = Spec::parse(spec).unwrap().when else { panic!("{spec} is no calendar") };
    let zone = TimeZone::get(zone).unwrap();
    let first = after.as_second().div_euclid(60) * 60 + 60;
    (0..limit).map(|minute| Timestamp::from_second(first + minute * 60).unwrap()).find(|&instant| {
        let wall = zone.to_datetime(instant);
        let part = |part: i8| u8::try_from(part).unwrap();
        fields.minute.takes(part(wall.minute()))
            && fields.hour.takes(part(wall.hour()))
            && fields.takes_day(
                part(wall.month()),
                part(wall.day()),
                part(wall.weekday().to_sunday_zero_offset()),
            )
    })
}

fn field(random: &mut fastrand::Rng, least: u8, most: u8) -> String {
    let number = |random: &mut fastrand::Rng| random.u8(least..=most);
    match random.u8(..6) {
        0 | 1 => "*".to_owned(),
        2 => format!("*/{}", random.u8(1..=most)),
        3 => {
            let (a, b) = (number(random), number(random));
            format!("{}-{}", a.min(b), a.max(b))
        }
        4 => format!("{},{}", number(random), number(random)),
        _ => number(random).to_string(),
    }
}

#[test]
fn finds_what_a_look_at_every_minute_finds() {
    // Around changes of the clocks, where it can go wrong.
    let starts = [
        "2026-03-07T20:00:00Z",
        "2026-10-31T20:00:59.5Z",
        "2026-10-03T10:00:00Z",
        "2026-04-04T10:00:00Z",
        "2026-04-22T12:00:00Z",
        "2018-11-03T12:00:00Z",
        "2011-12-29T12:00:00Z",
        "2024-02-28T00:00:00Z",
        "2026-12-31T22:00:00Z",
        "2026-03-28T12:00:00Z",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..250 {
        let spec = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
            .map(|(least, most)| field(&mut random, least, most))
            .join(" ");
        let (zone, start) = (*random.choice(&ZONES).unwrap(), at(random.choice(starts).unwrap()));
        let expected = slowly(&spec, zone, start, LIMIT);
        let found = Schedule::parse(&spec, zone).unwrap().next(start);
        let within = found.filter(|found| found.duration_since(start).as_secs() < (LIMIT - 1) * 60);
        if expected.is_some() || within.is_some() {
            assert_eq!(found, expected, "round {round}: `{spec}` in {zone} after {start}");
        }
    }
}

#[test]
fn a_day_whose_midnight_is_left_out_still_has_its_noon() {
    // Go's search gets lost on such a day, and fires a week later.
    let weekly = Schedule::parse("0 12 * * fri", "Africa/Cairo").unwrap();
    assert_eq!(weekly.next(at("2026-04-18T00:00:00Z")), Some(at("2026-04-24T09:00:00Z")));
    // And here, on the day when the clocks go back by half an hour.
    let daily = Schedule::parse("0 2 * * *", "Australia/Lord_Howe").unwrap();
    assert_eq!(daily.next(at("2026-04-04T00:00:00Z")), Some(at("2026-04-04T15:30:00Z")));
}

#[test]
fn nothing_is_searched_for_longer_than_five_years() {
    let never = Schedule::parse("0 0 30 2 *", "America/New_York").unwrap();
    assert_eq!(never.next(at("2026-01-01T00:00:00Z")), None);
    let leap = Schedule::parse("0 0 29 2 *", "UTC").unwrap();
    assert_eq!(leap.next(at("2026-01-01T00:00:00Z")), Some(at("2028-02-29T00:00:00Z")));
    assert_eq!(leap.next(at("2097-01-01T00:00:00Z")), None, "2100 has none");
    assert_eq!(leap.next(at("2099-01-01T00:00:00Z")), Some(at("2104-02-29T00:00:00Z")));
    assert_eq!(leap.next(Timestamp::MAX), None);
    assert_eq!(Schedule::parse("@every 1h", "UTC").unwrap().next_tick(i64::MAX), None);
    assert!(Schedule::parse("* * * * *", "Asia/Tokyo").unwrap().next(Timestamp::MIN).is_some());
}

#[test]
fn every_scheduler_agrees_on_the_ticks_of_a_delay() {
    let ten = Schedule::parse("@every 10m", "UTC").unwrap();
    for after in [1_200, 1_201, 1_799] {
        assert_eq!(ten.next_tick(after), Some(1_800));
    }
    assert_eq!(ten.next_tick(-1), Some(0));
}

#[test]
fn a_time_zone_has_its_exact_name() {
    for (name, says) in [
        ("Mars/Olympus", "time zone `Mars/Olympus` is not in this machine's time zone database"),
        ("europe/rome", "time zone `europe/rome` is written `Europe/Rome`"),
    ] {
        let error = Schedule::parse(&format!("TZ={name} @daily"), "UTC").unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(error.starts_with(&format!("invalid schedule `TZ={name} @daily`: ")), "{error}");
    }
    let local = Schedule::parse("TZ=Local 0 9 * * *", "Asia/Tokyo").unwrap();
    assert_eq!(local.next(at("2026-01-01T00:00:01Z")), Some(at("2026-01-02T00:00:00Z")));
}
