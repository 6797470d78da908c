package main

import (
	"encoding/json"
	"math"
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

// share is from 0 to 1: those of all tasks are spread evenly, and come in no order.
func (p payload) share() float64 {
	// The golden ratio, in 32 bits.
	return float64(uint32(p.Number)*0x9E3779B9) / math.MaxUint32
}

// bareSize is the size of a payload without its filler.
var bareSize = func() int {
	bare, err := json.Marshal(payload{Number: firstNumber, SentNS: time.Now().UnixNano()})
	if err != nil {
		panic(err)
	}
	return len(bare)
}()

// encode makes the payload of the i-th task, sent or due after a delay.
func (k kind) encode(i int) ([]byte, error) {
	size := k.size
	if size == 0 {
		size = payloadSize
	}
	sent := time.Now().Add(k.delay).UnixNano()
	filler := strings.Repeat(".", max(size-bareSize, 0))
	return json.Marshal(payload{Number: firstNumber + i, SentNS: sent, Filler: filler})
}
