package dataknobs

import (
	"slices"
)

// A TopK keeps the first n of the records pushed into it, in an Ordering. T is
// what is kept of a record: the record itself, a row number, a block of bytes.
// Its memory grows with the lesser of n and what was pushed. Not safe for
// concurrent use: give each goroutine its own and merge them.
type TopK[T any] struct {
	order *Ordering
	n     int
	heap  []topEntry[T] // the last of those kept is at the top
}

type topEntry[T any] struct {
	keys    []Value
	id      string
	payload T
}

// NewTopK returns a TopK that keeps the first n records in the order o.
func NewTopK[T any](o *Ordering, n int) *TopK[T] {
	return &TopK[T]{order: o, n: max(n, 0)}
}

// Admits reports whether a record with those keys and that ID would be kept,
// so that the caller builds only those.
func (t *TopK[T]) Admits(keys []Value, id string) bool {
	if len(t.heap) < t.n {
		return true
	}
	return t.n > 0 && t.order.Compare(keys, id, t.heap[0].keys, t.heap[0].id) < 0
}

// Push takes a record. It copies the slice keys but not what the values hold,
// and keeps id: a caller whose keys or ID alias a buffer clones them first
// (after Admits, for those that are kept).
func (t *TopK[T]) Push(keys []Value, id string, payload T) {
	switch {
	case !t.Admits(keys, id):
	case len(t.heap) < t.n:
		t.heap = append(t.heap, topEntry[T]{slices.Clone(keys), id, payload})
		t.up(len(t.heap) - 1)
	default:
		t.heap[0] = topEntry[T]{append(t.heap[0].keys[:0], keys...), id, payload}
		t.down(0)
	}
}

// Merge pushes everything that other keeps. other is left as it is but shares
// its payloads.
func (t *TopK[T]) Merge(other *TopK[T]) {
	for _, e := range other.heap {
		t.Push(e.keys, e.id, e.payload)
	}
}

// Sorted returns the payloads kept, in order.
func (t *TopK[T]) Sorted() []T {
	es := slices.Clone(t.heap)
	slices.SortFunc(es, t.compare)
	out := make([]T, len(es))
	for i := range es {
		out[i] = es[i].payload
	}
	return out
}

func (t *TopK[T]) compare(a, b topEntry[T]) int { return t.order.Compare(a.keys, a.id, b.keys, b.id) }

func (t *TopK[T]) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if t.compare(t.heap[i], t.heap[parent]) <= 0 {
			return
		}
		t.heap[i], t.heap[parent] = t.heap[parent], t.heap[i]
		i = parent
	}
}

func (t *TopK[T]) down(i int) {
	for {
		last := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t.heap); c++ {
			if t.compare(t.heap[c], t.heap[last]) > 0 {
				last = c
			}
		}
		if last == i {
			return
		}
		t.heap[i], t.heap[last] = t.heap[last], t.heap[i]
		i = last
	}
}
