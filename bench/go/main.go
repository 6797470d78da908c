// Gobench is Go's side of the benchmarks: the real asynq, in the modes of
// bench/modes, each with name=number settings.
//
//	enqueue tasks=N callers=P     P goroutines enqueue N tasks, one call for each
//	send tasks=K per_second=R     one goroutine enqueues K tasks, R in each second
//	drain tasks=N slots=C         a worker with C slots runs N tasks
//	latency tasks=K slots=C       a worker with C slots reports how late each of K tasks began
//	worker slots=C                a worker with C slots
//	version                       what this was built from
//
// Redis is at ASYNQ_BENCH_REDIS (host:port). Results are lines of JSON on
// standard output. A worker stops when its standard input ends.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/hibiken/asynq"
)

const library = "github.com/hibiken/asynq"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gobench:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("no mode given")
	}
	mode := arguments[0]
	if mode == "version" {
		return version()
	}
	given, err := parse(arguments[1:])
	if err != nil {
		return err
	}
	switch mode {
	case "enqueue":
		return enqueue(given)
	case "send":
		return send(given)
	case "drain":
		return drain(given)
	case "latency":
		return latency(given)
	case "worker":
		return work(given)
	}
	return fmt.Errorf("there is no mode %q", mode)
}

func redis() asynq.RedisClientOpt {
	return asynq.RedisClientOpt{Addr: os.Getenv("ASYNQ_BENCH_REDIS")}
}

func version() error {
	asynqVersion := "unknown"
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == library {
				asynqVersion = module.Version
			}
		}
	}
	return report(map[string]string{"go": runtime.Version(), "asynq": asynqVersion})
}

// report writes one line of JSON.
func report(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}
