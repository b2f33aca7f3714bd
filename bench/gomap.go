package main

import (
	"runtime"
	"time"

	"github.com/tidwall/btree"

	"dataknobs.dev/dataknobs"
)

// goMap names the plainest store that there could be: copies of the records in a
// Go map and in a list, and a B-tree of their names. What its cost grows by is
// what the processor's caches and the garbage collector make of a growing heap,
// and no store in memory can do without.
const goMap = "Go map, list and B-tree"

// scaleMap measures how the cost of a goMap grows.
func (b *bench) scaleMap() {
	curves := []curve{{Store: goMap, Operation: opCreate}, {Store: goMap, Operation: opGet}, {Store: goMap, Operation: opScan}}
	for _, n := range b.sizes(upTo(1_000_000)...) {
		took := make([][]float64, len(curves))
		for range b.rounds(3) {
			for i, seconds := range mapOf(n) {
				took[i] = append(took[i], seconds)
			}
		}
		for i := range curves {
			curves[i].Points = append(curves[i].Points, point{N: n, Seconds: median(took[i])})
		}
	}
	for _, c := range curves {
		c.Exponent = exponent(c.Points)
		b.curves = append(b.curves, c)
	}
}

// mapOf returns the seconds that it took to put n people into a goMap, without
// making them, to get a copy of one, and of all.
func mapOf(n int) [3]float64 {
	byID := map[string]*dataknobs.Record{}
	byName := btree.NewBTreeGOptions(func(a, b *dataknobs.Record) bool {
		return a.Get("name").Compare(b.Get("name")) < 0
	}, btree.Options{NoLocks: true})
	var list []*dataknobs.Record
	var total time.Duration
	for from := 0; from < n; from += 10_000 {
		recs := peopleFrom(from, min(n, from+10_000))
		runtime.GC()
		start := time.Now()
		for _, r := range recs {
			c := r.Clone()
			byID[c.ID] = c
			byName.Set(c)
			list = append(list, c)
		}
		total += time.Since(start)
	}
	var fields int // of the copies, which must be made
	start := time.Now()
	for _, r := range list {
		fields += len(r.Clone().Fields)
	}
	all := time.Since(start)
	const gets = 100_000
	start = time.Now()
	for i := range gets {
		fields += len(byID[personID(i*7919%n)].Clone().Fields)
	}
	one := time.Since(start)
	if len(byID) != n || byName.Len() != n || fields < n {
		panic("bench: the map lost records")
	}
	return [3]float64{total.Seconds(), one.Seconds() / gets, all.Seconds()}
}
