use serde::{Deserialize, Serialize};

#[derive(asynq::Job, Serialize, Deserialize)]
struct Send;

fn main() {
    // A contract alone has no handler: that is the function.
    let _ = asynq::jobs![Send];
}
