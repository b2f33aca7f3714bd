package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A scan makes much garbage that dies young: collecting it less often is worth
// a fifth of the time. The soft limit keeps the peak of a scan bounded.
const (
	gcPercent   = 400
	memoryLimit = 64 << 20
	memorySpare = 16 << 20 // what garbage may take at least
)

// boundMemory sets how the garbage collector of this process works. Where more
// is in use than the limit, as the IDs of millions of records that a copy must
// tell apart, a fixed limit would make it collect without end (a copy of a
// million records took ten times as long), so the limit stays above what is in use.
func boundMemory() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	limit := int64(memoryLimit)
	afterEachCollection(func() {
		live := liveBytes()
		if want := max(memoryLimit, live+live/8+memorySpare); want > limit || want < limit/2 {
			limit = want
			debug.SetMemoryLimit(limit)
		}
	})
}

// afterEachCollection calls f when the garbage collector has run: what nobody
// refers to is finalized then.
func afterEachCollection(f func()) {
	type token [64]byte // not a tiny object, of which several are one
	var again func(*token)
	again = func(t *token) {
		f()
		runtime.SetFinalizer(t, again)
	}
	runtime.SetFinalizer(new(token), again)
}

// liveBytes is what the last collection found in use.
func liveBytes() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(sample[0].Value.Uint64())
}
