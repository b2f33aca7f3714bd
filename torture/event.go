package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A kind says what an event tells.
type kind byte

const (
	begun    kind = '?' // a write was started
	done     kind = '+' // it was acknowledged
	refused  kind = '-' // it was not applied, says the store
	rejected kind = 'x' // it was not even looked at, says the store
	unclear  kind = '~' // it may have been applied, or may be yet
	seen     kind = '=' // a record was read, or written: n is its checksum, text its revision
	failed   kind = 'e' // a read failed: op is the code, text the message
	broken   kind = '!' // a promise was broken
)

// An event is one line that a worker writes. It reaches the parent even when
// the worker is killed right after.
type event struct {
	kind   kind
	writer string
	op, id string
	n      int64
	text   string
}

func (e event) String() string {
	return fmt.Sprintf("%c\t%s\t%s\t%s\t%d\t%s", e.kind, e.writer, e.op, e.id, e.n, strconv.Quote(e.text))
}

// parseEvent reads a line; ok is false for one that was cut by the kill.
func parseEvent(line string) (e event, ok bool) {
	parts := strings.SplitN(line, "\t", 6)
	if len(parts) != 6 || len(parts[0]) != 1 {
		return e, false
	}
	n, err := strconv.ParseInt(parts[4], 10, 64)
	text, err2 := strconv.Unquote(parts[5])
	if err != nil || err2 != nil {
		return e, false
	}
	return event{kind(parts[0][0]), parts[1], parts[2], parts[3], n, text}, true
}

func parseJob(text string) (j job, err error) { return j, json.Unmarshal([]byte(text), &j) }

func (j job) String() string {
	data, _ := json.Marshal(j) //nolint:errchkjson // it has plain fields only
	return string(data)
}
