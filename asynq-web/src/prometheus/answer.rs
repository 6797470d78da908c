//! [`Series`]: what Prometheus answers, read.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Deserialize;

use crate::history::Span;

/// The numbers of one set of labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) labels: BTreeMap<String, String>,
    /// When, in milliseconds since 1970, and what; what is no number is left out.
    pub(crate) values: Vec<(i64, f64)>,
}

impl Series {
    /// The value of each step of a span.
    pub(crate) fn steps(&self, span: Span) -> Vec<Option<f64>> {
        let mut values = vec![None; span.steps];
        for (at, value) in &self.values {
            let place = usize::try_from((at - span.from).div_euclid(span.step)).ok();
            if let Some(known) = place.and_then(|place| values.get_mut(place)) {
                *known = Some(*value);
            }
        }
        values
    }
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    result: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// What an answer has, or why it has nothing.
pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<Vec<Series>, String> {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Err(format!("this is no Prometheus: it answered {status} with something else"));
    };
    let ("success", Some(data)) = (answer.status.as_str(), answer.data) else {
        let unexplained = || format!("Prometheus answered {status} without a reason");
        return Err(answer.error.unwrap_or_else(unexplained));
    };
    let series =
        data.result.into_iter().map(|found| Series { labels: found.metric, values: values(&found.values) });
    Ok(series.collect())
}

fn values(pairs: &[(f64, String)]) -> Vec<(i64, f64)> {
    let read = |(at, value): &(f64, String)| {
        let value = value.parse::<f64>().ok().filter(|value| value.is_finite())?;
        #[expect(clippy::cast_possible_truncation, reason = "a time of our age")]
        let at = (at * 1_000.0).round() as i64;
        Some((at, value))
    };
    pairs.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_reasons_are_told() {
        let body = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"asynq_queue_size",
            "queue":"mail"},"values":[[1781779200,"3"],[1781779210.5,"NaN"],[1781779220,"1.5e3"]]}]}}"#;
        let read_ok = read(StatusCode::OK, body).unwrap();
        assert_eq!(read_ok[0].labels["queue"], "mail");
        assert_eq!(read_ok[0].values, [(1_781_779_200_000, 3.0), (1_781_779_220_000, 1_500.0)]);
        let refused = br#"{"status":"error","errorType":"bad_data","error":"parse error at char 3"}"#;
        assert_eq!(read(StatusCode::BAD_REQUEST, refused), Err("parse error at char 3".to_owned()));
        for body in [&b"<html>"[..], b"", b"[]", b"{}"] {
            assert!(read(StatusCode::BAD_GATEWAY, body).unwrap_err().contains("502 Bad Gateway"));
        }
        assert!(read(StatusCode::OK, br#"{"status":"success"}"#).unwrap_err().contains("without a reason"));
    }
}
