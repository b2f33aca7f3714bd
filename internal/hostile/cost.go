package hostile

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// Cost runs f and returns how far the heap rose meanwhile, and how long it took.
func Cost(f func()) (peak uint64, took time.Duration) {
	runtime.GC()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() uint64 { metrics.Read(heap); return heap[0].Value.Uint64() }
	base := read()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, read())
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	start := time.Now()
	f()
	took = time.Since(start)
	close(done)
	<-ended
	return max(peak, base) - base, took
}
