#![allow(unused)]

use asynq::job;

mod db {
    #[derive(Clone)]
    pub struct Pool;
}

#[job]
async fn query(pool: db::Pool, id: u64) {
    drop((pool, id));
}

fn main() {
    drop(Query::new(db::Pool, 1));
}
