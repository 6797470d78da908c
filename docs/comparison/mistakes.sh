#!/usr/bin/env bash
# Makes each mistake of docs/comparison.md in a copy of the three programs, and shows what happens.
#
# Usage: docs/comparison/mistakes.sh [mistake]
#
# It needs Rust, Go and redis-server. Each program that builds in spite of its mistake is run for ten seconds (or
# SECONDS_TO_RUN, which the retries of apalis need 60 of) on a Redis of its own.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
only=${1:-}
work=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT

port=$((20000 + RANDOM % 20000))
redis-server --port "$port" --save '' --appendonly no --dir "$work" >/dev/null &
pids+=($!)
sleep 1
kill -0 "${pids[0]}" || exit 1 # somebody else has that port: try again
export REDIS_ADDR=127.0.0.1:$port REDIS_URL=redis://127.0.0.1:$port ASYNQ_REDIS_URL=redis://127.0.0.1:$port
redis() { redis-cli -p "$port" "$@"; }

# A fresh copy of a program, in which a file is changed by a script of sed.
copy() {
    rm -rf "$work/program" && mkdir "$work/program"
    (cd "$here/$1" && cp -r $(ls | grep -v '^target$') "$work/program/")
    cd "$work/program" || exit 1
    if [ "$1" = asynq ]; then
        cp "$root/Cargo.lock" .
        sed -i -e "s#^asynq = .*#asynq = { path = \"$root\" }#" -e '/workspace = true$/d' -e '/^\[lints\]/d' Cargo.toml
        sed -i -e '/^tokio/d' -e 's#^name = .*#&\nversion = "0.1.0"\nedition = "2024"#' Cargo.toml
        printf 'tokio = { version = "1", features = ["macros", "rt-multi-thread"] }\n[workspace]\n' >>Cargo.toml
    fi
    sed -i -e "$3" "$2"
    if cmp -s "$2" "$here/$1/$2"; then echo "the mistake is not made: $2" && exit 1; fi
}

# What the compiler says; or else what the programs do.
try() {
    local mistake=$1 system=$2
    shift 2
    [ -z "$only" ] || [ "$only" = "$mistake" ] || return 0
    echo
    echo "== $mistake: $system"
    copy "$system" "$@"
    local target=$root/target/comparison-$system
    case $system in
    go) build() { go build -o bin/ ./...; } ;;
    *) build() { CARGO_TARGET_DIR=$target cargo build --quiet && ln -s "$target/debug" bin; } ;;
    esac
    if ! build >"$work/build" 2>&1; then
        echo "does not compile:"
        grep -v '^ *$' "$work/build" | head -12
        return 0
    fi
    echo "compiles; run:"
    redis flushall >/dev/null
    bin/mail-producer 2>&1 | tail -3
    timeout "${SECONDS_TO_RUN:-10}" bin/mail-worker 2>&1 | grep -v -e '^ *$' -e ' INFO: ' | cut -c 1-200 | head -8
    # Where the task is now, with the text of its error.
    for task in $(redis keys 'asynq:{*}:t:*'); do
        echo "$task is $(redis hget "$task" state): $(redis --raw hget "$task" msg | tr -cd '[:print:]')"
    done
    for task in $(redis keys 'mail:meta:*'); do
        echo "$task: $(redis --raw hgetall "$task" | paste -s -d ' ')"
    done
}

worker=src/bin/mail-worker.rs
producer=src/bin/mail-producer.rs

try argument-type go cmd/mail-producer/main.go 's/"Welcome"/7/'
try argument-type apalis $producer 's/"Welcome".into()/7/'
try argument-type asynq $producer 's/"Welcome"/7/'

try payload-by-hand go cmd/mail-producer/main.go 's/comparison.NewSendMail(.*)/asynq.NewTask(comparison.TypeSendMail, []byte(`{"to": "ann", "subject": 7}`), asynq.Queue("mail")), error(nil)/'
try payload-by-hand asynq $producer 's/SendMail::new("ann@example.com", "Welcome").enqueue(&client)/asynq::Enqueue::new(asynq::Task::new("mail:send", r#"{"to": "ann", "subject": 7}"#)?, \&client).queue("mail")/; s/^use comparison.*/use comparison as _;/'

try missing-argument go cmd/mail-producer/main.go 's/, "Welcome"//'
try missing-argument apalis $producer 's/, subject: "Welcome".into()//'
try missing-argument asynq $producer 's/, "Welcome"//'

try other-payload go mail.go 's/	var mail Mail/	var mail struct{ Address string }/; s/mail.To, mail.Subject)/mail.Address, mail.Address)/'
try other-payload apalis src/lib.rs 's/pub async fn send_mail(mail: Mail, /pub async fn send_mail(mail: String, /; s/mailer.send(&mail.to, &mail.subject)/mailer.send(\&mail, \&mail)/'
try other-payload asynq src/lib.rs 's/pub async fn send_mail(to: &str, subject: &str, /pub async fn send_mail(address: \&str, /; s/mailer.send(to, subject)/mailer.send(address, address)/'

try type-name go cmd/mail-worker/main.go 's/comparison.TypeSendMail/"mail:sned"/'
try type-name asynq $producer 's/use comparison::SendMail/use comparison::SnedMail/'
try type-name-untyped asynq $producer 's/SendMail::new("ann@example.com", "Welcome").enqueue(&client)/asynq::Enqueue::new(asynq::Task::new("mail:sned", "{}")?, \&client).queue("mail")/; s/^use comparison.*/use comparison as _;/'

try queue-of-worker go cmd/mail-worker/main.go 's/{"mail": 1}/{"mial": 1}/'
try queue-of-worker apalis $worker 's/\.backend(storage.clone())/.backend(apalis_redis::RedisStorage::new(storage.clone().get_connection().clone()).with_config(apalis_redis::Config::default().queue("mial")))/'
try queue-of-worker asynq $worker 's/Server::from_env()?/&.queues([("mial", 1)])/'

try queue-of-task go mail.go 's/asynq.Queue("mail")/asynq.Queue("mial")/'
try queue-of-task asynq $producer 's/.enqueue(&client)/&.queue("mial")/'

try missing-handler go cmd/mail-worker/main.go '/mux.Handle/d; /"example.com/d; s/, RetryDelayFunc: comparison.RetryDelay//'
try missing-handler apalis $worker 's/\.register(mailer)//; s/let mailer/let _mailer/'
try missing-handler asynq $worker 's/^use comparison::Mailer;//; s/\.state(Mailer)//'

try missing-handler-among-others asynq $worker 's/^use comparison::Mailer;/#[asynq::job] async fn other() {}/; s/\.state(Mailer)//'

try missing-state go cmd/mail-worker/main.go 's/{Mailer: &comparison.Mailer{}}/{}/'
try missing-state apalis $worker '/\.data(Mailer)/d; s/Mailer, //'
try missing-state asynq $worker 's/\.state(Mailer)//; s/use comparison::Mailer/use comparison as _/'

try duration go mail.go 's/30\*time.Second/30/'
try duration apalis $worker 's/Duration::from_secs(30)/30/'
try duration asynq src/lib.rs 's/timeout = "30s"/timeout = 30/'
