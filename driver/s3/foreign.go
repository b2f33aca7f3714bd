package s3

import (
	"slices"
	"sync"
)

// foreign remembers objects that are named like records and were found to be
// none: later listings pass them over.
type foreign struct {
	mu    sync.Mutex
	etags map[string]string // by ID; guarded by mu
}

// maxForeign bounds how many are remembered.
const maxForeign = 10_000

func (f *foreign) add(id, etag string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.etags == nil || len(f.etags) >= maxForeign {
		f.etags = map[string]string{}
	}
	f.etags[id] = etag
}

// sift leaves out of a page what is known to be foreign, as long as it has not
// changed.
func (f *foreign) sift(page []entry) []entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.etags) == 0 {
		return page
	}
	return slices.DeleteFunc(page, func(e entry) bool {
		etag, known := f.etags[e.id]
		return known && etag == e.etag
	})
}

// warned remembers what the user has been told.
type warned struct {
	mu   sync.Mutex
	said map[string]bool // guarded by mu
}

// maxWarnings bounds how many objects are named.
const maxWarnings = 20

// warnForeign says, once, that an object is passed over.
func (d *Driver) warnForeign(key string) {
	d.warned.mu.Lock()
	if d.warned.said == nil {
		d.warned.said = map[string]bool{}
	}
	n := len(d.warned.said)
	known := d.warned.said[key]
	if n <= maxWarnings {
		d.warned.said[key] = true
	}
	d.warned.mu.Unlock()
	switch {
	case known || n > maxWarnings:
	case n == maxWarnings:
		d.o.Warn("more objects below " + d.String() + " are no records and are passed over")
	default:
		d.o.Warn("the object " + d.bucket + "/" + key + " is no record of this store and is passed over")
	}
}
