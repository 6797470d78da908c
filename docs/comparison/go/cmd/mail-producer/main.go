// Command mail-producer enqueues one mail.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"

	"example.com/comparison"
	"github.com/hibiken/asynq"
)

func main() {
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: os.Getenv("REDIS_ADDR")})
	defer client.Close()
	task, err := comparison.NewSendMail("ann@example.com", "Welcome")
	if err != nil {
		log.Fatal(err)
	}
	info, err := client.Enqueue(task)
	switch {
	case errors.Is(err, asynq.ErrDuplicateTask):
		fmt.Println("it is there already")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println("enqueued", info.ID)
	}
}
