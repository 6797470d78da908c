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

// drain measures from the start of the first handler to the end of the last one.
func drain(tasks, concurrency int) error {
	var (
		first    atomic.Int64
		finished atomic.Int64
		results  = make(chan any, 1)
		epoch    = time.Now()
	)
	return serve(concurrency, results, func(_ context.Context, task *asynq.Task) error {
		if first.Load() == 0 {
			first.CompareAndSwap(0, int64(time.Since(epoch)))
		}
		var body payload
		if err := json.Unmarshal(task.Payload(), &body); err != nil {
			return err
		}
		if finished.Add(1) == int64(tasks) {
			took := time.Since(epoch) - time.Duration(first.Load())
			results <- map[string]float64{"seconds": took.Seconds()}
		}
		return nil
	})
}

// latency measures from before a task is enqueued to the start of its handler.
func latency(concurrency, tasks int) error {
	var (
		lock    sync.Mutex
		lates   []float64
		results = make(chan any, 1)
	)
	return serve(concurrency, results, func(_ context.Context, task *asynq.Task) error {
		now := time.Now().UnixNano()
		var body payload
		if err := json.Unmarshal(task.Payload(), &body); err != nil {
			return err
		}
		lock.Lock()
		defer lock.Unlock()
		lates = append(lates, float64(now-body.SentNS)/1e6)
		if len(lates) == tasks {
			results <- map[string][]float64{"latencies_ms": lates}
		}
		return nil
	})
}

// work runs tasks and measures nothing.
func work(concurrency int) error {
	return serve(concurrency, nil, func(context.Context, *asynq.Task) error { return nil })
}

// serve runs a worker and reports results until standard input ends.
func serve(concurrency int, results <-chan any, handler asynq.HandlerFunc) error {
	server := asynq.NewServer(redis(), asynq.Config{Concurrency: concurrency, LogLevel: asynq.ErrorLevel})
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
