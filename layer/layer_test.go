package layer_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/driver/sqlite"
	"dataknobs.dev/dataknobs/drivertest"
	"dataknobs.dev/dataknobs/layer"
)

// A wrapping is a layer, or several, as the conformance tests put it on.
type wrapping struct {
	name string
	wrap func(t testing.TB, d dataknobs.Driver) dataknobs.Driver
	room int // for an ID; 0: all
	only []string
}

func must(t testing.TB, d dataknobs.Driver, err error) dataknobs.Driver {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// prefixRoom is what wrapPrefix leaves of an ID.
const prefixRoom = dataknobs.MaxIDBytes - len("a%25%2Fb/")

func wrapPrefix(t testing.TB, d dataknobs.Driver) dataknobs.Driver {
	p, err := layer.Prefix(d, layer.PrefixOptions{Tenant: "a%/b"})
	return must(t, p, err)
}

// wrapFault has rules that never come to anything.
func wrapFault(t testing.TB, d dataknobs.Driver) dataknobs.Driver {
	f, err := layer.Fault(d, layer.FaultOptions{Rules: []layer.FaultRule{{Nth: 1 << 30, Fail: dataknobs.Internal}}})
	return must(t, f, err)
}

var (
	wrapRetry = func(_ testing.TB, d dataknobs.Driver) dataknobs.Driver { return layer.Retry(d, layer.RetryOptions{}) }
	wrapLimit = func(_ testing.TB, d dataknobs.Driver) dataknobs.Driver {
		return layer.Limit(d, layer.LimitOptions{Calls: 1000, Rate: 1e9, Records: 1e9})
	}
	wrapTimeout = func(_ testing.TB, d dataknobs.Driver) dataknobs.Driver {
		return layer.Timeout(d, layer.TimeoutOptions{After: time.Minute, Total: time.Hour})
	}
	wrapCircuit = func(_ testing.TB, d dataknobs.Driver) dataknobs.Driver {
		return layer.Circuit(d, layer.CircuitOptions{})
	}
	wrapTrace = func(_ testing.TB, d dataknobs.Driver) dataknobs.Driver {
		return layer.Trace(d, layer.TraceOptions{Logger: quiet()})
	}
	wrapKeep = func(t testing.TB, d dataknobs.Driver) dataknobs.Driver {
		t.Cleanup(func() { d.Close() })
		return layer.Keep(d)
	}
)

func wrappings() []wrapping {
	all := []wrapping{
		{name: "retry", wrap: wrapRetry},
		{name: "timeout", wrap: wrapTimeout},
		{name: "limit", wrap: wrapLimit},
		{name: "circuit", wrap: wrapCircuit},
		{name: "trace", wrap: wrapTrace},
		{name: "fault", wrap: wrapFault},
		{name: "keep", wrap: wrapKeep},
		{name: "readonly", wrap: func(_ testing.TB, d dataknobs.Driver) dataknobs.Driver {
			return &readWrite{layer.ReadOnly(d, layer.ReadOnlyOptions{}), d}
		}},
		{name: "prefix", wrap: wrapPrefix, room: prefixRoom},
	}
	return append(all, wrapping{name: "all", room: prefixRoom, wrap: stacked(wrapPrefix)})
}

// stacked puts on all layers, and last the given ones.
func stacked(last ...func(testing.TB, dataknobs.Driver) dataknobs.Driver) func(testing.TB, dataknobs.Driver) dataknobs.Driver {
	return func(t testing.TB, d dataknobs.Driver) dataknobs.Driver {
		for _, wrap := range append([]func(testing.TB, dataknobs.Driver) dataknobs.Driver{
			wrapFault, wrapLimit, wrapTimeout, wrapCircuit, wrapRetry, wrapTrace, wrapKeep,
		}, last...) {
			d = wrap(t, d)
		}
		return d
	}
}

// A readWrite reads through a layer that refuses writes, and writes beside it.
type readWrite struct {
	dataknobs.Driver
	inner dataknobs.Driver
}

func (r *readWrite) Features() *dataknobs.Features { return r.inner.Features() }

func (r *readWrite) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	return r.inner.Apply(ctx, b)
}

// A layer changes no answer.
func TestSuiteOverMemory(t *testing.T) {
	for _, w := range wrappings() {
		t.Run(w.name, func(t *testing.T) {
			drivertest.Run(t, drivertest.Harness{
				Open: func(t *testing.T) *dataknobs.DB {
					return dataknobs.New(w.wrap(t, memory.New(memory.Options{})), nil)
				},
				Slow:  true,
				MaxID: w.room,
				Only:  w.only,
			})
		})
	}
}

// A store that fails again and again is, behind Retry, as one that does not.
func TestSuiteThroughFaults(t *testing.T) {
	var rules []string
	for _, call := range []string{"get", "scan", "count", "aggregate", "schema"} {
		rules = append(rules, call+" chance=0.3 fail=unavailable")
	}
	rules = append(rules, "apply chance=0.3 not_sent")
	drivertest.Run(t, drivertest.Harness{
		Open: func(t *testing.T) *dataknobs.DB {
			f := faulty(t, memory.New(memory.Options{Index: []dataknobs.Path{dataknobs.P("a"), dataknobs.P("n")}}), rules...)
			return dataknobs.New(layer.Retry(f, layer.RetryOptions{Attempts: 100, Pause: time.Nanosecond, MaxPause: time.Microsecond}), nil)
		},
		Slow: true,
	})
}

// All together also pass on transactions, bulk loads, plans and declared kinds.
func TestSuiteOverSQLite(t *testing.T) {
	for _, w := range []wrapping{
		{name: "all but prefix", wrap: stacked(), only: []string{"Batch", "Load", "Read", "Group", "Tx", "Context", "Close"}},
		{name: "all", wrap: stacked(wrapPrefix), room: prefixRoom},
	} {
		t.Run(w.name, func(t *testing.T) {
			var n atomic.Int64
			drivertest.Run(t, drivertest.Harness{
				Open: func(t *testing.T) *dataknobs.DB {
					path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", n.Add(1)))
					d, err := sqlite.New(t.Context(), sqlite.Options{Path: path, Sync: sqlite.SyncOff})
					if err != nil {
						t.Fatal(err)
					}
					return dataknobs.New(w.wrap(t, d), nil)
				},
				Slow:  true,
				MaxID: w.room,
			})
		})
	}
}
