package layer

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

// faultSettings are those of Fault as texts.
type faultSettings struct {
	Rules []string `option:"rules" required:"true" doc:"rules such as: apply id=a* nth=2 fail=unavailable; scan cut=10; get chance=0.1 delay=2s; apply lost"`
	Seed  int64    `option:"seed" default:"1" doc:"starts the random numbers, so that a run can be repeated"`
}

func wrapFault(d dataknobs.Driver, s faultSettings, _ Env) (dataknobs.Driver, error) {
	o := FaultOptions{Seed: uint64(s.Seed)}
	for _, text := range s.Rules {
		r, err := ParseFaultRule(text)
		if err != nil {
			return nil, err
		}
		o.Rules = append(o.Rules, r)
	}
	return Fault(d, o)
}

// faultWords are what may stand in a rule, and how each is read.
var faultWords = map[string]func(r *FaultRule, text string) bool{
	"id":          func(r *FaultRule, text string) bool { r.ID = text; return text != "" },
	"nth":         func(r *FaultRule, text string) bool { return wholeNumber(&r.Nth, text) },
	"times":       func(r *FaultRule, text string) bool { return wholeNumber(&r.Times, text) },
	"chance":      func(r *FaultRule, text string) (ok bool) { r.Chance, ok = fraction(text); return ok },
	"delay":       func(r *FaultRule, text string) bool { return duration(&r.Delay, text) },
	"retry_after": func(r *FaultRule, text string) bool { return duration(&r.RetryAfter, text) },
	"fail":        func(r *FaultRule, text string) bool { r.Fail = codeNamed(text); return r.Fail != 0 },
	"not_sent":    func(r *FaultRule, text string) bool { r.NotSent = true; return text == "" },
	"lost":        func(r *FaultRule, text string) bool { r.Lost = true; return text == "" },
	"cut": func(r *FaultRule, text string) bool {
		n := 0
		ok := wholeNumber(&n, text)
		r.Cut, r.After = true, int64(n)
		return ok
	},
}

// ParseFaultRule reads a rule: the call, or * for any, and then words with
// spaces between them: id=PATTERN nth=N times=N chance=0.1 delay=2s
// fail=unavailable not_sent cut=10 lost retry_after=1s. See [FaultRule]; cut has the
// records after which. The error is InvalidArgument.
func ParseFaultRule(text string) (FaultRule, error) {
	var r FaultRule
	words := strings.Fields(text)
	if len(words) == 0 {
		return r, dataknobs.Errorf(dataknobs.InvalidArgument, "a fault rule is empty")
	}
	if words[0] != "*" {
		r.Call = words[0]
	}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		read := faultWords[name]
		if read == nil {
			err := dataknobs.Errorf(dataknobs.InvalidArgument, "the fault rule %q: there is no %q", text, name)
			return r, unknown(err, name, slices.Sorted(maps.Keys(faultWords)))
		}
		if !read(&r, value) {
			return r, dataknobs.Errorf(dataknobs.InvalidArgument, "the fault rule %q: %s cannot be %q", text, name, value)
		}
	}
	return r, r.check()
}

func wholeNumber(to *int, text string) bool {
	n, err := strconv.ParseUint(text, 10, 31)
	*to = int(n)
	return err == nil
}

func fraction(text string) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && f > 0 && f <= 1
}

func duration(to *time.Duration, text string) bool {
	d, err := time.ParseDuration(text)
	*to = d
	return err == nil && d > 0
}

// codeNamed returns the code of that name, with _ for its spaces; 0: none.
func codeNamed(name string) dataknobs.Code {
	for c := dataknobs.NotFound; c <= dataknobs.Internal; c++ {
		if codeName(c) == name {
			return c
		}
	}
	return 0
}

// codeName is a code's name as one word, such as not_found.
func codeName(c dataknobs.Code) string { return strings.ReplaceAll(c.Error(), " ", "_") }
