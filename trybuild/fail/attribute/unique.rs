#![allow(unused)]

use asynq::job;

#[job(unique_by(to))]
async fn for_how_long(to: String) {}

#[job(unique_until = start)]
async fn until_without_time(to: String) {}

#[job(unique_for = "10m", unique_by(too))]
async fn misspelled(to: String, template: u32) {}

#[job(unique_for = "10m", unique_by(to, user_id))]
async fn no_argument(to: String, template: u32) {}

#[job(unique_for = "10m", unique_by(ctx))]
async fn not_in_the_payload(ctx: asynq::Ctx) {}

#[job(unique_for = "10m", unique_by(cache))]
async fn left_out(to: String, #[serde(skip)] cache: u32) {}

#[job(unique_for = "10m", unique_by(to, to))]
async fn twice(to: String) {}

#[job(unique_for = "10m", unique_by = [to])]
async fn array(to: String) {}

#[job(unique_for = "10m", unique_by())]
async fn empty(to: String) {}

#[job(unique_for = "10m", unique_by("to"))]
async fn text(to: String) {}

#[job(unique_for = "10m", unique_until = strat)]
async fn misspelled_end(to: String) {}

#[job(unique_for = "10m", unique_until = "ttl")]
async fn end_as_text(to: String) {}

#[job(unique_for = "10m", unique_until = 5)]
async fn end_as_number(to: String) {}

#[job(unique_for = "10m", unique_key = "order")]
async fn key(to: String) {}

// One mistake, one error.
#[job(unique_for = 10, unique_by(to))]
async fn wrong_time(to: String) {}

#[derive(serde::Serialize, serde::Deserialize, asynq::Job)]
#[job(unique_for = "10m", unique_by(usr))]
struct Contract {
    user: u32,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Resize {
    image: String,
}

#[job(unique_for = "10m", unique_by(imag))]
impl Resize {
    async fn run(&self) {}
}

#[job(for = Contract, unique_for = "10m", unique_by(user))]
async fn elsewhere(contract: Contract) {}

fn main() {}
