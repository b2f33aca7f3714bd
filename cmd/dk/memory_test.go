package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// A limit below what is in use makes the collector run without end.
func TestTheMemoryLimitStaysAboveWhatIsInUse(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
	boundMemory()
	if got := debug.SetMemoryLimit(-1); got != memoryLimit {
		t.Errorf("at first the limit is %d, wanted %d", got, memoryLimit)
	}
	held := make([]byte, 4*memoryLimit)
	for range 1000 { // finalizers run some time after a collection
		runtime.GC()
		runtime.Gosched()
		if debug.SetMemoryLimit(-1) > int64(len(held)) {
			return
		}
	}
	t.Errorf("with %d bytes in use the limit is %d", len(held), debug.SetMemoryLimit(-1))
	runtime.KeepAlive(held)
}
