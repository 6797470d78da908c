use asynq::job;

#[job(cron = "@daily")]
async fn report(
    month: u8,
    maybe: Option<u8>,
    #[serde(default)] defaulted: u8,
    #[serde(deserialize_with = "read")] own_way: Option<u8>,
) {
    drop((month, maybe, defaulted, own_way));
}

fn read<'de, D: serde::Deserializer<'de>>(_: D) -> Result<Option<u8>, D::Error> {
    Ok(None)
}

fn main() {}
