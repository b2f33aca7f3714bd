// Package hostile is input that is meant to do harm: what somebody might send
// to make a program crash, hang, take all memory, or believe what is not so.
// The fuzz targets begin with it, and tests hold every part of the program
// that reads something against it: each case is refused with the code that it
// names, or answered rightly, in bounded memory and time.
//
// Start at [Classes]. A new case is a line in one of the lists.
package hostile

import "strings"

// A Case is one input.
type Case struct {
	Name string
	// Make makes the input, which may be large.
	Make func() string
	// File is the name that a file has; its end says what it is. "" for other classes.
	File string
	// Want is the code of the error, as dataknobs.Code prints it, or "" where the
	// input is legal and gets a right answer.
	Want string
	// Answer is that right answer, in a few words or, of a file, as many records.
	Answer string
}

// A Class is the cases of one kind.
type Class struct {
	Name  string
	Cases []Case
}

// Classes are all of them.
func Classes() []Class {
	return []Class{
		{"JSON files", JSON}, {"lines of JSON", Lines}, {"CSV files", CSV}, {"Parquet files", Parquet}, {"compressed files", Compressed},
		{"query texts", Queries}, {"queries as JSON", QueryJSON}, {"page tokens", Tokens}, {"encoded records", Binary},
		{"configurations", Configs}, {"store URLs", URLs}, {"record IDs", IDs}, {"field names", Names},
	}
}

// Most is the longest input that [Seeds] gives to a fuzz target, which would
// spend its time on longer ones.
const Most = 4096

// Seeds are the inputs of the lists that are short enough for a fuzz target.
func Seeds(lists ...[]Case) []string {
	var all []string
	for _, cases := range lists {
		for _, c := range cases {
			if text := c.Make(); len(text) <= Most {
				all = append(all, text)
			}
		}
	}
	return all
}

func text(s string) func() string { return func() string { return s } }

func times(s string, n int) func() string { return func() string { return strings.Repeat(s, n) } }

// around is n times what opens, the middle, and n times what closes.
func around(opens string, n int, middle, closes string) func() string {
	return func() string { return strings.Repeat(opens, n) + middle + strings.Repeat(closes, n) }
}

func join(parts ...func() string) func() string {
	return func() string {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(p())
		}
		return b.String()
	}
}

// The codes that the cases name.
const (
	invalid  = "invalid argument"
	lost     = "data loss"
	notFound = "not found"
	// exhausted: more than the program takes, such as a record of over 64 MiB.
	exhausted = "resource exhausted"
)
