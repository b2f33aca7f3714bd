package lite_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs/driver/internal/lite"
)

func open(t *testing.T, name string) *lite.Conn {
	t.Helper()
	c, err := lite.Open(name, lite.Create, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func exec(t *testing.T, c *lite.Conn, sql string) {
	t.Helper()
	if err := c.Exec(sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestRoundTrip(t *testing.T) {
	c := open(t, ":memory:")
	exec(t, c, "create table t (a, b, c, d, e)")
	for range 3 { // a kept statement binds anew
		s, err := c.Prepare("insert into t values (?, ?, ?, ?, ?)")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.BindAll([]any{int64(1) << 62, 1.5, "", []byte{}, strings.Repeat("é", 5000)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Run(); err != nil {
			t.Fatal(err)
		}
		if c.Changes() != 1 {
			t.Errorf("%d changes, want 1", c.Changes())
		}
		s.Release()
	}
	s, err := c.Prepare("select * from t")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	n := 0
	for {
		row, err := s.Step()
		if err != nil {
			t.Fatal(err)
		}
		if !row {
			break
		}
		n++
		if s.Kind(0) != lite.Integer || s.Int(0) != 1<<62 || s.Kind(1) != lite.Real || s.Float(1) != 1.5 ||
			s.Kind(2) != lite.Text || s.Str(2) != "" || s.Kind(3) != lite.Blob || len(s.Raw(3)) != 0 || s.Str(4) != strings.Repeat("é", 5000) {
			t.Errorf("row %d differs: %v %v %v %v", n, s.Int(0), s.Float(1), s.Kind(2), s.Kind(3))
		}
	}
	if n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
}

// The same statement twice at once is two statements.
func TestPrepareTwice(t *testing.T) {
	c := open(t, ":memory:")
	const sql = "select 1 union all select 2"
	a, _ := c.Prepare(sql)
	b, err := c.Prepare(sql)
	if err != nil || a == b {
		t.Fatalf("got %p and %p, %v", a, b, err)
	}
	for _, s := range []*lite.Stmt{a, b, a, b} {
		if row, err := s.Step(); !row || err != nil {
			t.Fatal(row, err)
		}
	}
	a.Release()
	b.Release()
	for i := range 200 { // more than are kept
		s, err := c.Prepare(sql + strings.Repeat(" ", i))
		if err != nil {
			t.Fatal(err)
		}
		s.Release()
	}
}

const endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"

func TestCancel(t *testing.T) {
	c := open(t, ":memory:")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	c.Use(ctx)
	start := time.Now()
	if err := c.Exec(endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	c.Use(context.Background())
	exec(t, c, "select 1")
}

func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.db")
	a, b := open(t, path), open(t, path)
	exec(t, a, "create table t (x)")
	exec(t, a, "begin immediate")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	b.Use(ctx)
	if err := b.Exec("begin immediate"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	b.Use(t.Context())
	start := time.Now()
	var e *lite.Error
	if err := b.Exec("begin immediate"); !errors.As(err, &e) || e.Code.Primary() != lite.Busy {
		t.Errorf("got %v, want busy", err)
	}
	if took := time.Since(start); took < 900*time.Millisecond || took > 3*time.Second {
		t.Errorf("waited %s, want 1s", took)
	}
	exec(t, a, "commit")
	exec(t, b, "begin immediate")
}

func TestFunction(t *testing.T) {
	c := open(t, ":memory:")
	for name, f := range map[string]func(*lite.Call){
		"twice": func(call *lite.Call) { call.ReturnInt(2 * call.Int(0)) },
		"long":  func(call *lite.Call) { call.Bool(len(call.Raw(0)) > 3) },
		"key":   func(call *lite.Call) { call.ReturnBlob(append([]byte{'<'}, call.Raw(0)...)) },
		"no":    func(call *lite.Call) { call.Fail("no") },
	} {
		if err := c.Function(name, 1, f); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Prepare("select twice(21), long('four'), long('one'), key('a')")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	if row, err := s.Step(); !row || err != nil {
		t.Fatal(row, err)
	}
	if s.Int(0) != 42 || s.Int(1) != 1 || s.Int(2) != 0 || s.Str(3) != "<a" {
		t.Errorf("got %d %d %d %q", s.Int(0), s.Int(1), s.Int(2), s.Raw(3))
	}
	if err := c.Exec("select no(1)"); err == nil || !strings.HasPrefix(err.Error(), "no ") {
		t.Errorf("got %v, want the function's error", err)
	}
}
