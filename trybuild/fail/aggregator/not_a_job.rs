use asynq::aggregator;

struct Mail;

#[aggregator]
async fn digest(mails: Vec<Mail>) {
    drop(mails);
}

fn main() {}
