#![allow(unused)]

use asynq::job;

#[job(aliases = "old")]
async fn one_alias() {}

#[job(aliases = ["old", old])]
async fn alias_without_quotes() {}

#[job(aliases = ["a", "a"])]
async fn alias_twice() {}

#[job(aliases = ["own_name"])]
async fn own_name() {}

#[job(aliases = [])]
async fn no_alias() {}

#[job(struct = "Send Mail")]
async fn no_name_of_a_struct() {}

#[job(struct = SendMail)]
async fn struct_without_quotes() {}

#[job(struct_name = "SendMail")]
async fn struct_called_otherwise() {}

#[job(rename_all = "camelcase")]
async fn unknown_case() {}

#[job(rename_all = camelCase)]
async fn case_without_quotes() {}

#[job(unregistered = true)]
async fn flag_with_value() {}

#[job(unregistered, unregistered)]
async fn flag_twice() {}

#[job(transparent)]
async fn transparent_of_two(a: u8, b: u8) {}

#[job(transparent)]
async fn transparent_of_none() {}

#[job(blocking)]
async fn blocking_and_async() {}

#[job(blokcing)]
fn misspelled_flag() {}

#[job(delay = 30)]
async fn delay_without_unit() {}

fn main() {}
