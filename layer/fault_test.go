package layer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/layer"
)

func TestFaultRules(t *testing.T) {
	for _, c := range []struct {
		rule string
		want string // of five reads: . went well, x failed
	}{
		{"get fail=internal", "xxxxx"},
		{"get nth=3 fail=internal", "..x.."},
		{"get nth=2 times=2 fail=internal", ".xx.."},
		{"get times=1 fail=internal", "x...."},
		{"get id=a fail=internal", "xxxxx"},
		{"get id=b* fail=internal", "....."},
		{"apply fail=internal", "....."},
		{"* nth=5 fail=internal", "....x"},
	} {
		db := dataknobs.New(faulty(t, store(t), c.rule), nil)
		var got strings.Builder
		for range len(c.want) {
			got.WriteString(map[bool]string{true: ".", false: "x"}[get(t.Context(), db) == nil])
		}
		if got.String() != c.want {
			t.Errorf("%s: got %s, wanted %s", c.rule, &got, c.want)
		}
	}
}

func TestFaultsByChanceAreTheSameEveryTime(t *testing.T) {
	run := func() (s []bool) {
		db := dataknobs.New(faulty(t, store(t), "get chance=0.5 fail=unavailable"), nil)
		for range 64 {
			s = append(s, get(t.Context(), db) == nil)
		}
		return s
	}
	first := run()
	if !slices.Equal(first, run()) {
		t.Error("two runs with the same seed differ")
	}
	if n := fmt.Sprint(first); !strings.Contains(n, "true") || !strings.Contains(n, "false") {
		t.Errorf("a chance of a half came to %s", n)
	}
}

func TestALostAnswerIsOfAWriteThatWasApplied(t *testing.T) {
	d := store(t)
	err := put(t.Context(), dataknobs.New(faulty(t, d, "apply lost"), nil))
	if !errors.Is(err, dataknobs.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	if rec, err := dataknobs.New(d, nil).Get(t.Context(), "a"); err != nil || rec.Get("n").Int() != 9 {
		t.Errorf("afterwards a is %v, error %v", rec, err)
	}
}

func TestFaultRulesWithMistakesAreRefused(t *testing.T) {
	for text, hint := range map[string]string{
		"": "", "gett fail=internal": "get", "get": "not_sent", "get fial=internal": "fail", "get fail=nonsense": "", "get nth=-1 fail=internal": "",
		"get chance=2 fail=internal": "", "get delay=x": "", "apply id=[ fail=internal": "",
	} {
		_, err := layer.ParseFaultRule(text)
		wantCode(t, text, err, dataknobs.InvalidArgument)
		if err != nil && !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: got %v, wanted %q in it", text, err, hint)
		}
	}
}
