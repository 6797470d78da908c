package comparison

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/hibiken/asynq"
)

// A mail is enqueued once, and sent at the third attempt. It needs the Redis of REDIS_ADDR.
func TestMailIsSentAtTheThirdAttempt(t *testing.T) {
	redis := asynq.RedisClientOpt{Addr: os.Getenv("REDIS_ADDR")}
	inspector := asynq.NewInspector(redis)
	defer inspector.Close()
	inspector.DeleteQueue("mail", true) // what an earlier run left; its locks stay, so give the test a Redis of its own
	client := asynq.NewClient(redis)
	defer client.Close()
	for _, want := range []error{nil, asynq.ErrDuplicateTask} {
		task, err := NewSendMail("ann@example.com", "Welcome")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Enqueue(task); !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}

	attempts := make(chan int, 3)
	sender := &Sender{Mailer: &Mailer{}}
	mux := asynq.NewServeMux()
	mux.HandleFunc(TypeSendMail, func(ctx context.Context, task *asynq.Task) error {
		retried, _ := asynq.GetRetryCount(ctx)
		attempts <- retried
		if retried < 2 {
			return errors.New("no answer")
		}
		return sender.ProcessTask(ctx, task)
	})
	server := asynq.NewServer(redis, asynq.Config{
		Queues:                   map[string]int{"mail": 1},
		RetryDelayFunc:           RetryDelay,
		DelayedTaskCheckInterval: time.Second,
	})
	if err := server.Start(mux); err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	for want := range 3 {
		select {
		case got := <-attempts:
			if got != want {
				t.Fatalf("attempt %d, want %d", got, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("no attempt %d", want)
		}
	}
}
