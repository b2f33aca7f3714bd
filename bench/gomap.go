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
	create, scan := curve{Store: goMap, Operation: opCreate}, curve{Store: goMap, Operation: opScan}
	for _, n := range b.sizes(upTo(1_000_000)...) {
		var creates, scans []float64
		for range b.rounds(3) {
			c, s := mapOf(n)
			creates, scans = append(creates, c), append(scans, s)
		}
		create.Points = append(create.Points, point{N: n, Seconds: median(creates)})
		scan.Points = append(scan.Points, point{N: n, Seconds: median(scans)})
	}
	for _, c := range []curve{create, scan} {
		c.Exponent = exponent(c.Points)
		b.curves = append(b.curves, c)
	}
}

// mapOf returns the seconds that it took to put n people into a goMap, without
// making them, and to read copies of all.
func mapOf(n int) (create, scan float64) {
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
	took := time.Since(start)
	if len(byID) != n || byName.Len() != n || fields < n {
		panic("bench: the map lost records")
	}
	return total.Seconds(), took.Seconds()
}
