// Package comparison has the job, and the mailer that it is given.
package comparison

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
)

// TypeSendMail is the type of the tasks that Sender runs.
const TypeSendMail = "mail:send"

// Mailer sends mails.
type Mailer struct{}

// Send sends one.
func (Mailer) Send(_ context.Context, to, subject string) error {
	fmt.Println(subject, "to", to)
	return nil
}

// Mail is the payload.
type Mail struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
}

// NewSendMail makes a task.
func NewSendMail(to, subject string) (*asynq.Task, error) {
	payload, err := json.Marshal(Mail{To: to, Subject: subject})
	if err != nil {
		return nil, err
	}
	return asynq.NewTask(TypeSendMail, payload,
		asynq.Queue("mail"),
		asynq.MaxRetry(5),
		asynq.Timeout(30*time.Second),
		asynq.Unique(10*time.Minute),
	), nil
}

// Sender runs them.
type Sender struct {
	Mailer *Mailer
}

// ProcessTask runs one.
func (s *Sender) ProcessTask(ctx context.Context, task *asynq.Task) error {
	var mail Mail
	if err := json.Unmarshal(task.Payload(), &mail); err != nil {
		return fmt.Errorf("payload of %s: %v: %w", TypeSendMail, err, asynq.SkipRetry)
	}
	return s.Mailer.Send(ctx, mail.To, mail.Subject)
}

// RetryDelay says when a task is tried again: of this type, after a time that doubles.
func RetryDelay(retried int, err error, task *asynq.Task) time.Duration {
	if task.Type() != TypeSendMail {
		return asynq.DefaultRetryDelayFunc(retried, err, task)
	}
	return min(time.Second<<retried, time.Minute)
}
