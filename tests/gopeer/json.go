package main

import (
	"bufio"
	"encoding/json"
	"os"
	"time"
)

// everything has a field of each kind that payloads are made of.
type everything struct {
	Flag     bool              `json:"flag"`
	Int      int32             `json:"int"`
	Natural  uint64            `json:"natural"`
	Float    float64           `json:"float"`
	Single   float32           `json:"single"`
	Text     string            `json:"text"`
	List     []int64           `json:"list"`
	Texts    map[string]string `json:"texts"`
	Numbers  map[int32]float64 `json:"numbers"`
	Bytes    []byte            `json:"bytes"`
	Maybe    *string           `json:"maybe"`
	Duration time.Duration     `json:"duration"`
	Time     time.Time         `json:"time"`
	Inner    *everything       `json:"inner"`
}

// cmdJSON reads values of `everything`, one JSON object per line, and prints what encoding/json makes of each again.
// With --nil it prints the value in which every slice, map and pointer is nil.
func cmdJSON(args []string) error {
	if len(args) > 0 && args[0] == "--nil" {
		return printJSON(everything{})
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var value everything
		if err := json.Unmarshal(in.Bytes(), &value); err != nil {
			return err
		}
		if err := printJSON(value); err != nil {
			return err
		}
	}
	return in.Err()
}

func printJSON(value everything) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(text, '\n'))
	return err
}
