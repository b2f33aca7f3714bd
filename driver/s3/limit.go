package s3

import (
	"context"
	"sync"
	"time"
)

// A limiter bounds how many requests are under way. The bound is halved when
// the server asks to slow down and grows again, by one for each full round of
// requests that were answered, up to what it was.
type limiter struct {
	most float64

	mu      sync.Mutex
	limit   float64 // guarded by mu, like all below
	busy    int
	waiting []chan struct{} // in the order of their coming
	cut     time.Time       // when limit was last halved
	now     func() time.Time
}

// calm is how long after a cut no other is made: the answers to what was under
// way then say nothing new.
const calm = 100 * time.Millisecond

func newLimiter(most int) *limiter {
	return &limiter{most: float64(most), limit: float64(most), now: time.Now}
}

// acquire waits for a place.
func (l *limiter) acquire(ctx context.Context) error {
	l.mu.Lock()
	if l.busy < int(l.limit) && len(l.waiting) == 0 {
		l.busy++
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range l.waiting {
		if w == turn {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return ctx.Err()
		}
	}
	l.busy-- // the place came in the same moment
	l.admit()
	return ctx.Err()
}

// release gives the place back; ok says that the server answered.
func (l *limiter) release(ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	if ok && l.limit < l.most {
		l.limit = min(l.most, l.limit+1/l.limit)
	}
	l.admit()
}

// admit lets in who waits. The caller holds mu.
func (l *limiter) admit() {
	for len(l.waiting) > 0 && l.busy < int(l.limit) {
		l.busy++
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
	}
}

// slow notes that the server asked to slow down.
func (l *limiter) slow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); now.Sub(l.cut) >= calm {
		l.cut = now
		l.limit = max(1, l.limit/2)
	}
}
