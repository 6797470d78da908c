package main

import (
	"encoding/json"
	"strings"
	"time"
)

const (
	taskType    = "bench:noop"
	payloadSize = 101
	// The first number: all of them have eight digits, so all payloads the same size.
	firstNumber = 10_000_000
)

type payload struct {
	Number int    `json:"number"`
	SentNS int64  `json:"sent_ns"`
	Filler string `json:"filler"`
}

var filler = func() string {
	bare, err := json.Marshal(payload{Number: firstNumber, SentNS: time.Now().UnixNano()})
	if err != nil {
		panic(err)
	}
	return strings.Repeat(".", payloadSize-len(bare))
}()

// encode makes the payload of the i-th task, sent now.
func encode(i int) ([]byte, error) {
	return json.Marshal(payload{Number: firstNumber + i, SentNS: time.Now().UnixNano(), Filler: filler})
}
