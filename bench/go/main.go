// Gobench is Go's side of the benchmarks: the real asynq, in the modes that
// asynq-bench has for ours.
//
//	enqueue N P     P goroutines enqueue N tasks, one call for each
//	send K MS       one goroutine enqueues K tasks, one each MS milliseconds
//	drain N C       a worker with C slots runs N tasks
//	latency C K     a worker with C slots reports how late each of K tasks began
//	worker C        a worker with C slots
//	version         what this was built from
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
	"strconv"

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
	numbers, err := parse(arguments[1:])
	if err != nil {
		return err
	}
	if len(numbers) == 1 && mode == "worker" {
		return work(numbers[0])
	}
	if len(numbers) == 2 {
		switch a, b := numbers[0], numbers[1]; mode {
		case "enqueue":
			return enqueue(a, b)
		case "send":
			return send(a, b)
		case "drain":
			return drain(a, b)
		case "latency":
			return latency(a, b)
		}
	}
	return fmt.Errorf("cannot do %q", arguments)
}

func parse(arguments []string) ([]int, error) {
	numbers := make([]int, len(arguments))
	for i, argument := range arguments {
		number, err := strconv.Atoi(argument)
		if err != nil || number < 1 {
			return nil, fmt.Errorf("%q is not a positive number", argument)
		}
		numbers[i] = number
	}
	return numbers, nil
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
