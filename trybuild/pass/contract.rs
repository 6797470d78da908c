//! A job and its handler apart: `#[derive(Job)]` and `#[job(for = …)]`.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

/// What producers know.
pub mod contract {
    use serde::{Deserialize, Serialize};

    /// A result.
    #[derive(Serialize, Deserialize)]
    pub struct Receipt;

    /// With options.
    #[derive(asynq::Job, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[job(name = "email:send", queue = "mail", retry = 5, unique_for = "10m", output(Option<Receipt>))]
    pub struct SendEmail {
        /// Whom it goes to.
        pub first_name: String,
        /// More.
        #[serde(default)]
        pub copies: Vec<String>,
    }

    /// Without options; an enum.
    #[derive(asynq::Job, Serialize, Deserialize)]
    pub enum HttpCall {
        /// One kind.
        Get(String),
        /// Another.
        Ping,
    }

    /// Only here, run by hand.
    #[derive(asynq::Job, Serialize, Deserialize)]
    #[job(crate = ::asynq)]
    pub(crate) struct Unit;
}

/// What runs them.
pub mod worker {
    use super::contract::{HttpCall, Receipt, SendEmail};
    use asynq::{Ctx, State, job};

    /// Takes it apart.
    #[job(for = SendEmail, concurrency = 2, aliases = ["mail:send"])]
    pub async fn send_email(
        SendEmail { first_name, .. }: SendEmail,
        State(prefix): State<String>,
    ) -> Result<Option<Receipt>, std::io::Error> {
        drop((first_name, prefix));
        Ok(None)
    }

    #[job(for = super::contract::HttpCall, blocking)]
    fn call(ctx: &Ctx, task: &HttpCall) {
        let _ = (ctx, matches!(task, HttpCall::Ping));
    }

    pub(super) fn handlers() -> [&'static asynq::Registration; 2] {
        asynq::jobs![send_email, call]
    }
}

fn main() {
    use asynq::Job;
    use asynq::{PayloadField, PayloadShape};

    const FIELDS: [PayloadField; 2] = [
        PayloadField { name: "firstName", ty: "String", required: true },
        PayloadField { name: "copies", ty: "Vec<String>", required: false },
    ];
    let [send, call] = worker::handlers();
    assert_eq!((send.name, send.aliases, send.concurrency), ("email:send", &["mail:send"][..], Some(2)));
    assert_eq!(send.options, contract::SendEmail::OPTIONS);
    assert_eq!(send.payload, PayloadShape::Fields(&FIELDS));
    assert_eq!((call.name, call.payload), ("http_call", PayloadShape::Value("HttpCall")));
    assert_eq!(contract::Unit::NAME, "unit");
    let job = contract::SendEmail { first_name: "Ann".into(), copies: vec![] };
    assert_eq!(job.encode().unwrap(), r#"{"firstName":"Ann","copies":[]}"#);
    asynq::assert_registered!(contract::SendEmail, contract::HttpCall);
    drop((worker::send_email(job, asynq::State(String::new())), contract::HttpCall::Get(String::new())));
}
