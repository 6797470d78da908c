package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"
)

// settings are what a mode is given. One that is not given is zero.
type settings map[string]int

func parse(arguments []string) (settings, error) {
	all := make(settings, len(arguments))
	for _, argument := range arguments {
		name, value, found := strings.Cut(argument, "=")
		number, err := strconv.Atoi(value)
		if !found || err != nil {
			return nil, fmt.Errorf("%q is not name=number", argument)
		}
		all[name] = number
	}
	return all, nil
}

// queue is that of a task: tasks go round over as many as are given.
func (s settings) queue(i int) string {
	if s["queues"] < 2 {
		return "default"
	}
	return "q" + strconv.Itoa(i%s["queues"])
}

func (s settings) queues() map[string]int {
	all := map[string]int{}
	for i := range max(s["queues"], 1) {
		all[s.queue(i)] = 1
	}
	return all
}

func (s settings) milliseconds(name string) time.Duration {
	return time.Duration(s[name]) * time.Millisecond
}

func (s settings) seconds(name string) time.Duration {
	return time.Duration(s[name]) * time.Second
}

// options are those of the i-th task.
func (s settings) options(i int) []asynq.Option {
	var all []asynq.Option
	if s["queues"] > 1 {
		all = append(all, asynq.Queue(s.queue(i)))
	}
	if s["delay_ms"] > 0 {
		all = append(all, asynq.ProcessIn(s.milliseconds("delay_ms")))
	}
	if s["retention"] > 0 {
		all = append(all, asynq.Retention(s.seconds("retention")))
	}
	if s["unique"] > 0 {
		all = append(all, asynq.Unique(s.seconds("unique")))
	}
	if s["group"] > 0 {
		all = append(all, asynq.Group("g"+strconv.Itoa(i%s["group"])))
	}
	return all
}
