// Command mail-worker runs what is enqueued.
package main

import (
	"log"
	"os"

	"example.com/comparison"
	"github.com/hibiken/asynq"
)

func main() {
	server := asynq.NewServer(
		asynq.RedisClientOpt{Addr: os.Getenv("REDIS_ADDR")},
		asynq.Config{Queues: map[string]int{"mail": 1}, RetryDelayFunc: comparison.RetryDelay},
	)
	mux := asynq.NewServeMux()
	mux.Handle(comparison.TypeSendMail, &comparison.Sender{Mailer: &comparison.Mailer{}})
	if err := server.Run(mux); err != nil {
		log.Fatal(err)
	}
}
