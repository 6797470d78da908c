package main

import (
	"fmt"
	"slices"
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

// queueName is that of a task: tasks go round over as many as are given.
func queueName(queues, i int) string {
	if queues < 2 {
		return "default"
	}
	return "q" + strconv.Itoa(i%queues)
}

func (s settings) queues() map[string]int {
	all := map[string]int{}
	for i := range max(s["queues"], 1) {
		all[queueName(s["queues"], i)] = 1
	}
	return all
}

func (s settings) milliseconds(name string) time.Duration {
	return time.Duration(s[name]) * time.Millisecond
}

func (s settings) seconds(name string) time.Duration {
	return time.Duration(s[name]) * time.Second
}

// kind says what tasks are like. Known before any is made, as an application knows it.
type kind struct {
	// What all have in common.
	fixed []asynq.Option
	size  int
	delay time.Duration
	// Over how many of them tasks are spread; 0: none is named.
	queues, groups int
}

func (s settings) kind() kind {
	all := kind{size: s["bytes"], delay: s.milliseconds("delay_ms"), queues: s["queues"], groups: s["group"]}
	if all.delay > 0 {
		all.fixed = append(all.fixed, asynq.ProcessIn(all.delay))
	}
	if s["retention"] > 0 {
		all.fixed = append(all.fixed, asynq.Retention(s.seconds("retention")))
	}
	if s["unique"] > 0 {
		all.fixed = append(all.fixed, asynq.Unique(s.seconds("unique")))
	}
	return all
}

// options are those of the i-th task.
func (k kind) options(i int) []asynq.Option {
	all := slices.Clip(k.fixed)
	if k.queues > 1 {
		all = append(all, asynq.Queue(queueName(k.queues, i)))
	}
	if k.groups > 0 {
		all = append(all, asynq.Group("g"+strconv.Itoa(i%k.groups)))
	}
	return all
}
