package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	redisv8 "github.com/go-redis/redis/v8"
	"github.com/hibiken/asynq"
	"github.com/hibiken/asynq/internal/base"
	asynqcontext "github.com/hibiken/asynq/internal/context"
	"github.com/hibiken/asynq/x/rate"
	"github.com/redis/go-redis/v9"
)

// oldClient makes the client that x/rate wants: its newest published version
// is from before asynq moved to go-redis v9.
type oldClient struct{ opt asynq.RedisConnOpt }

func (o oldClient) MakeRedisClient() interface{} {
	made, ok := o.opt.MakeRedisClient().(*redis.Client)
	if !ok {
		panic("gopeer semaphore: a single server is required")
	}
	defer made.Close()
	opt := made.Options()
	return redisv8.NewClient(&redisv8.Options{
		Network: opt.Network, Addr: opt.Addr, Username: opt.Username, Password: opt.Password, DB: opt.DB,
	})
}

// cmdSemaphore acquires or releases a token of an x/rate semaphore as the
// handler of a task does.
func cmdSemaphore(args []string) error {
	fs := flag.NewFlagSet("semaphore", flag.ContinueOnError)
	uri := fs.String("redis", "", "redis URI, as asynq.ParseRedisURI reads it")
	scope := fs.String("scope", "", "name of the semaphore")
	max := fs.Int("max", 1, "number of tokens")
	id := fs.String("id", "", "ID of the task")
	in := fs.Duration("deadline-in", time.Minute, "time until the task's deadline")
	if err := fs.Parse(args); err != nil {
		return err
	}
	opt, err := redisOpt(*uri)
	if err != nil {
		return err
	}
	sema := rate.NewSemaphore(oldClient{opt}, *scope, *max)
	defer sema.Close()
	msg := &base.TaskMessage{ID: *id, Type: "t", Queue: "default"}
	ctx, cancel := asynqcontext.New(context.Background(), msg, time.Now().Add(*in))
	defer cancel()
	switch fs.Arg(0) {
	case "acquire":
		acquired, err := sema.Acquire(ctx)
		if err != nil {
			return err
		}
		emit(M{"acquired": acquired})
	case "release":
		if err := sema.Release(ctx); err != nil {
			return err
		}
		emit(M{"released": true})
	default:
		return fmt.Errorf("want acquire or release, got %q", fs.Arg(0))
	}
	return nil
}
