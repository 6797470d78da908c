package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

// batchType is the type of what groups are made into.
const batchType = "bench:batch"

// drain measures from the start of the first handler to the end of the last one.
func drain(given settings) error {
	var (
		tasks    = int64(given["tasks"])
		first    atomic.Int64
		finished atomic.Int64
		results  = make(chan any, 1)
		epoch    = time.Now()
	)
	begin := func(body []byte) (payload, error) {
		if first.Load() == 0 {
			first.CompareAndSwap(0, int64(time.Since(epoch)))
		}
		var decoded payload
		err := json.Unmarshal(body, &decoded)
		return decoded, err
	}
	end := func(count int64) {
		if after := finished.Add(count); after >= tasks && after-count < tasks {
			took := time.Since(epoch) - time.Duration(first.Load())
			results <- map[string]float64{"seconds": took.Seconds()}
		}
	}
	config := asynq.Config{}
	if given["max_size"] > 0 {
		config.GroupMaxSize = given["max_size"]
		config.GroupAggregator = asynq.GroupAggregatorFunc(func(_ string, tasks []*asynq.Task) *asynq.Task {
			for _, task := range tasks {
				if _, err := begin(task.Payload()); err != nil {
					panic(err)
				}
			}
			end(int64(len(tasks)))
			return asynq.NewTask(batchType, nil)
		})
	}
	return serve(given, config, results, func(_ context.Context, task *asynq.Task) error {
		if task.Type() == batchType {
			return nil
		}
		decoded, err := begin(task.Payload())
		if err != nil {
			return err
		}
		spread := float64(given.milliseconds("spread_ms")) * decoded.share()
		time.Sleep(given.milliseconds("sleep_ms") + time.Duration(spread))
		end(1)
		return nil
	})
}

// latency measures from before a task is enqueued to the start of its handler.
func latency(given settings) error {
	var (
		lock    sync.Mutex
		lates   []float64
		results = make(chan any, 1)
	)
	return serve(given, asynq.Config{}, results, func(_ context.Context, task *asynq.Task) error {
		now := time.Now().UnixNano()
		var body payload
		if err := json.Unmarshal(task.Payload(), &body); err != nil {
			return err
		}
		lock.Lock()
		lates = append(lates, float64(now-body.SentNS)/1e6)
		if len(lates) == given["tasks"] {
			results <- map[string][]float64{"latencies_ms": lates}
		}
		lock.Unlock()
		time.Sleep(given.milliseconds("sleep_ms"))
		return nil
	})
}

// work runs tasks and measures nothing.
func work(given settings) error {
	return serve(given, asynq.Config{}, nil, func(context.Context, *asynq.Task) error {
		time.Sleep(given.milliseconds("sleep_ms"))
		return nil
	})
}

// serve runs a worker and reports results until standard input ends.
func serve(given settings, config asynq.Config, results <-chan any, handler asynq.HandlerFunc) error {
	config.Concurrency, config.Queues, config.LogLevel = given["slots"], given.queues(), asynq.ErrorLevel
	server := asynq.NewServer(redis(), config)
	if err := server.Start(handler); err != nil {
		return err
	}
	defer server.Shutdown()
	if err := report(map[string]bool{"ready": true}); err != nil {
		return err
	}
	stop := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		stop <- err
	}()
	for {
		select {
		case result := <-results:
			if err := report(result); err != nil {
				return err
			}
		case err := <-stop:
			return err
		}
	}
}
