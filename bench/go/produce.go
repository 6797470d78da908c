package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

// enqueue measures how long it takes to enqueue the tasks, one call for each.
func enqueue(given settings) error {
	tasks, producers, kind := given["tasks"], given["callers"], given.kind()
	client := asynq.NewClient(redis())
	defer client.Close()
	if err := client.Ping(); err != nil {
		return err
	}
	var (
		next    atomic.Int64
		wait    sync.WaitGroup
		failure atomic.Pointer[error]
	)
	start := time.Now()
	for range producers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := int(next.Add(1)); i <= tasks && failure.Load() == nil; i = int(next.Add(1)) {
				if err := enqueueOne(client, kind, i); err != nil {
					failure.Store(&err)
				}
			}
		}()
	}
	wait.Wait()
	seconds := time.Since(start).Seconds()
	if err := failure.Load(); err != nil {
		return *err
	}
	return report(map[string]float64{"seconds": seconds})
}

// send enqueues tasks evenly over time.
func send(given settings) error {
	kind := given.kind()
	client := asynq.NewClient(redis())
	defer client.Close()
	ticker := time.NewTicker(time.Second / time.Duration(given["per_second"]))
	defer ticker.Stop()
	for i := range given["tasks"] {
		<-ticker.C
		if err := enqueueOne(client, kind, i); err != nil {
			return err
		}
	}
	return nil
}

func enqueueOne(client *asynq.Client, kind kind, i int) error {
	body, err := kind.encode(i)
	if err != nil {
		return err
	}
	_, err = client.Enqueue(asynq.NewTask(taskType, body), kind.options(i)...)
	return err
}
