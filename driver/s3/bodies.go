package s3

import (
	"container/list"
	"sync"

	"dataknobs.dev/dataknobs"
)

// bodies keeps the records that were read last, to be used again as long as
// their ETags stay. The records are shared by whoever reads them.
type bodies struct {
	most int64

	mu   sync.Mutex
	size int64                    // guarded by mu, like all below
	by   map[string]*list.Element // of *body, by ID
	used list.List                // the last used first
}

type body struct {
	id, etag string
	rec      *dataknobs.Record
	size     int64
}

// bodyOverhead is about how much more memory a record takes than its text, for
// each byte of text, and besides.
const (
	bodyFactor   = 3
	bodyOverhead = 300
)

// get returns the record of that ID; nil if it is not kept, or not with that
// ETag. An empty ETag stands for any.
func (c *bodies) get(id, etag string) *dataknobs.Record {
	if c.most <= 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.by[id]
	if el == nil {
		return nil
	}
	b := el.Value.(*body)
	if etag != "" && b.etag != etag {
		return nil
	}
	c.used.MoveToFront(el)
	return b.rec
}

// put keeps a record whose object has n bytes.
func (c *bodies) put(rec *dataknobs.Record, n int) {
	size := int64(n)*bodyFactor + int64(len(rec.ID)) + bodyOverhead
	if c.most <= 0 || size > c.most/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]*list.Element{}
	}
	if el := c.by[rec.ID]; el != nil {
		c.remove(el)
	}
	c.by[rec.ID] = c.used.PushFront(&body{rec.ID, rec.Revision, rec, size})
	for c.size += size; c.size > c.most; {
		c.remove(c.used.Back())
	}
}

// remove takes an element out. The caller holds mu.
func (c *bodies) remove(el *list.Element) {
	b := c.used.Remove(el).(*body)
	delete(c.by, b.id)
	c.size -= b.size
}

// drop forgets everything.
func (c *bodies) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by, c.size = nil, 0
	c.used.Init()
}
