package dataknobs_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
	"pgregory.net/rapid"
)

func cursorQuery() *dataknobs.Query {
	ten := 10
	return &dataknobs.Query{
		Where:   &dataknobs.Cond{Path: dataknobs.Names("n"), Op: dataknobs.Gt, Args: []dataknobs.Value{dataknobs.Int(1)}},
		OrderBy: []dataknobs.Order{{Path: dataknobs.Names("n"), Desc: true}, {Path: dataknobs.Names("s")}},
		Limit:   &ten,
	}
}

func encodeCursor(t testing.TB, q *dataknobs.Query, s *dataknobs.Seek, epoch string) string {
	t.Helper()
	token, err := dataknobs.EncodeCursor(q, s, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := cursorQuery()
		s := &dataknobs.Seek{
			Keys: rapid.SliceOfN(genValue, 2, 2).Draw(t, "keys"), ID: rapid.String().Draw(t, "id"), Position: rapid.Uint64().Draw(t, "position"),
		}
		epoch := rapid.String().Draw(t, "epoch")
		token, err := dataknobs.EncodeCursor(q, s, epoch)
		if err != nil {
			t.Fatal(err)
		}
		got, gotEpoch, err := dataknobs.DecodeCursor(q, token)
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != s.ID || got.Position != s.Position || gotEpoch != epoch || !dataknobs.Array(got.Keys...).Identical(dataknobs.Array(s.Keys...)) {
			t.Fatalf("got %v %q, wanted %v %q", got, gotEpoch, s, epoch)
		}
	})
}

func TestCursorIsBoundToItsQuery(t *testing.T) {
	cond := func(q *dataknobs.Query) *dataknobs.Cond {
		c := *q.Where.(*dataknobs.Cond)
		q.Where = &c
		return &c
	}
	tests := []struct {
		name   string
		change func(q *dataknobs.Query)
		same   bool
	}{
		{"nothing", func(*dataknobs.Query) {}, true},
		{"the limit", func(q *dataknobs.Query) { q.Limit = nil }, true},
		{"the offset", func(q *dataknobs.Query) { q.Offset = 3 }, true},
		{"the cursor", func(q *dataknobs.Query) { q.After = "x" }, true},
		{"a NOT NOT", func(q *dataknobs.Query) { q.Where = dataknobs.Not{Expr: dataknobs.Not{Expr: q.Where}} }, true},
		{"the constant", func(q *dataknobs.Query) { cond(q).Args = []dataknobs.Value{dataknobs.Int(2)} }, false},
		{"the kind of the constant", func(q *dataknobs.Query) { cond(q).Args = []dataknobs.Value{dataknobs.Float(1)} }, false},
		{"the operator", func(q *dataknobs.Query) { cond(q).Op = dataknobs.Ge }, false},
		{"the path", func(q *dataknobs.Query) { cond(q).Path = dataknobs.Names("m") }, false},
		{"no condition", func(q *dataknobs.Query) { q.Where = nil }, false},
		{"AND to OR", func(q *dataknobs.Query) { q.Where = dataknobs.Or{q.Where, q.Where} }, false},
		{"the direction", func(q *dataknobs.Query) { q.OrderBy[0].Desc = false }, false},
		{"the nulls", func(q *dataknobs.Query) { q.OrderBy[0].Nulls = dataknobs.NullsFirst }, false},
		{"fewer keys", func(q *dataknobs.Query) { q.OrderBy = q.OrderBy[:1] }, false},
		{"the columns", func(q *dataknobs.Query) { q.Select = []dataknobs.Column{{Path: dataknobs.Names("n")}} }, false},
		{"the groups", func(q *dataknobs.Query) { q.GroupBy = []dataknobs.Path{dataknobs.Names("n")} }, false},
	}
	seek := &dataknobs.Seek{Keys: []dataknobs.Value{dataknobs.Int(1), dataknobs.Null()}, ID: "a"}
	token := encodeCursor(t, cursorQuery(), seek, "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := cursorQuery()
			tt.change(q)
			_, _, err := dataknobs.DecodeCursor(q, token)
			switch {
			case tt.same && err != nil:
				t.Error(err)
			case !tt.same:
				wantCode(t, err, dataknobs.InvalidArgument)
				if err != nil && !strings.Contains(err.Error(), "another query") {
					t.Errorf("the error %q does not say what is wrong", err)
				}
			}
		})
	}
}

func TestCursorDamaged(t *testing.T) {
	q := cursorQuery()
	token := encodeCursor(t, q, &dataknobs.Seek{Keys: []dataknobs.Value{dataknobs.Int(1), dataknobs.String("x")}, ID: "a"}, "epoch")
	check := func(damaged string) {
		t.Helper()
		_, _, err := dataknobs.DecodeCursor(q, damaged)
		wantCode(t, err, dataknobs.InvalidArgument)
	}
	for i := range token {
		check(token[:i])
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		check(token[:i] + string(c) + token[i+1:])
	}
	check("")
	check("!")
	check(token + "AAAA")
	check(strings.Repeat("A", 1<<20))
}

// TestCursorKeys makes tokens whose checksum is right but whose number of keys
// is not that of the order.
func TestCursorKeys(t *testing.T) {
	byID := dataknobs.Order{Path: dataknobs.PathID}
	for _, tt := range []struct {
		name  string
		order []dataknobs.Order
		keys  int
		ok    bool
	}{
		{"the store's order", nil, 0, true},
		{"a key too many", nil, 1, false},
		{"two keys", cursorQuery().OrderBy, 2, true},
		{"a key too few", cursorQuery().OrderBy, 1, false},
		{"no keys", cursorQuery().OrderBy, 0, false},
		{"_id and what follows", []dataknobs.Order{byID, {Path: dataknobs.Names("n")}}, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := &dataknobs.Query{OrderBy: tt.order}
			token := encodeCursor(t, q, &dataknobs.Seek{Keys: make([]dataknobs.Value, tt.keys), ID: "a"}, "")
			_, _, err := dataknobs.DecodeCursor(q, token)
			if tt.ok && err != nil {
				t.Error(err)
			} else if !tt.ok {
				wantCode(t, err, dataknobs.InvalidArgument)
			}
		})
	}
}

func TestCursorIsBounded(t *testing.T) {
	long := &dataknobs.Seek{Keys: []dataknobs.Value{dataknobs.String(strings.Repeat("x", 1<<20)), dataknobs.Null()}}
	_, err := dataknobs.EncodeCursor(cursorQuery(), long, "")
	wantCode(t, err, dataknobs.ResourceExhausted)
}

func FuzzCursor(f *testing.F) {
	q := cursorQuery()
	natural := &dataknobs.Query{}
	f.Add(encodeCursor(f, q, &dataknobs.Seek{Keys: []dataknobs.Value{dataknobs.Int(1), dataknobs.Array(samples...)}, ID: "a"}, ""))
	f.Add(encodeCursor(f, natural, &dataknobs.Seek{ID: "é", Position: 9}, "epoch"))
	f.Add("")
	f.Add("AQ")
	for _, s := range hostile.Seeds(hostile.Tokens) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		q := q
		s, epoch, err := dataknobs.DecodeCursor(q, token)
		if err != nil {
			q = natural
			s, epoch, err = dataknobs.DecodeCursor(q, token)
		}
		if err != nil {
			wantCode(t, err, dataknobs.InvalidArgument)
			return
		}
		again, err := dataknobs.EncodeCursor(q, s, epoch)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := base64.RawURLEncoding.DecodeString(again); err != nil {
			t.Fatal(err)
		}
		if s2, _, err := dataknobs.DecodeCursor(q, again); err != nil || s2.ID != s.ID || len(s2.Keys) != len(s.Keys) {
			t.Fatalf("got %v, %v; wanted %v", s2, err, s)
		}
	})
}
