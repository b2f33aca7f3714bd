package s3

import (
	"context"
	"sync"
	"time"
)

// maxLeftovers bounds how many tombstones are remembered for Sync.
const maxLeftovers = 10_000

// leftovers are tombstones whose deletion failed.
type leftovers struct {
	mu   sync.Mutex
	keys map[string]bool // guarded by mu
}

func (l *leftovers) add(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keys == nil {
		l.keys = map[string]bool{}
	}
	if len(l.keys) < maxLeftovers {
		l.keys[key] = true
	}
}

// take returns them all and forgets them.
func (l *leftovers) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keys []string
	for k := range l.keys {
		keys = append(keys, k)
	}
	l.keys = nil
	return keys
}

// Sync implements dataknobs.Syncer: every acknowledged write is durable and
// visible already; what is left to do is to clear away tombstones and uploads
// that nobody ended.
func (d *Driver) Sync(ctx context.Context) error {
	if err := d.tooLong(ctx); err != nil {
		return err
	}
	for _, key := range d.old.take() {
		if err := d.sweep(ctx, key); err != nil {
			return err
		}
	}
	if !d.parts.Load() {
		return nil
	}
	if err := d.sweepUploads(ctx, d.prefix); err != nil && !isAccessDenied(err) {
		return err
	}
	return nil
}

// sweep deletes a tombstone that nobody holds any more. It is first replaced by
// another, which makes it this writer's own.
func (d *Driver) sweep(ctx context.Context, key string) error {
	can, err := d.abilities(ctx)
	if err != nil || !can.put {
		return err
	}
	s, err := d.head(ctx, nil, key)
	switch {
	case err != nil || s == nil || !s.dead():
		return err
	case s.now.Sub(s.modified) < d.quarantine+time.Second:
		d.old.add(key) // for a later Sync
		return nil
	}
	began := time.Now()
	etag, err := d.put(ctx, key, tombstone(), condition{etag: s.etag})
	if err == errPrecondition {
		return nil // it is a record again
	}
	if err == nil {
		d.clear(ctx, can, grave{key, etag, began.Add(d.quarantine / 2)})
	}
	return err
}
