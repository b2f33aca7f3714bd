package dataknobs

import (
	"fmt"
	"time"
)

// A Limit is one bound of a backend's stores, for people: "largest record",
// "64MiB".
type Limit struct{ Name, Text string }

// Bounds lists the bounds of the backend's stores, those of every store first.
func (b *Backend) Bounds() []Limit {
	f := b.features()
	record := int64(MaxRecordBytes)
	if f.MaxRecord > 0 {
		record = int64(f.MaxRecord)
	}
	all := []Limit{
		{"an ID", fmt.Sprintf("%d bytes of UTF-8", MaxIDBytes)},
		{"a field's name", fmt.Sprintf("%d bytes of UTF-8", MaxNameBytes)},
		{"arrays and objects inside each other", fmt.Sprint(MaxDepth)},
		{"a record", Size(record).String() + ", encoded"},
	}
	if f.MaxBatch > 0 {
		all = append(all, Limit{"writes of one request to the store", fmt.Sprintf("%d; larger batches are split", f.MaxBatch)})
	}
	if f.SortLimit > 0 {
		all = append(all, Limit{"records that the store sorts", fmt.Sprintf("%d, by a limit of at most that; more are sorted above it", f.SortLimit)})
	}
	return append(all, b.Limits...)
}

// features are those of a new store; empty where nobody knows them.
func (b *Backend) features() *Features {
	if b.Features == nil {
		return &Features{}
	}
	return b.Features()
}

// The parts of a query, and of writing, of which an [AbilityInfo] tells.
const (
	PartFilter  = "filter"  // of WHERE: What is an operator, Of what it compares
	PartSort    = "sort"    // of ORDER BY: Of is what by
	PartPage    = "page"    // What is limit or cursor
	PartSelect  = "select"  // the store leaves out what nobody asked for
	PartGroup   = "group"   // What is an aggregate, Of its argument or by what it groups
	PartWriting = "writing" // What is atomic batches or metadata
)

// An AbilityInfo says how exactly a store does one thing by itself. What a
// store does roughly or not at all is done above it, with the same answer; but
// for full-text search (MATCH) and what is of writing, which only a store can do.
type AbilityInfo struct {
	Part string // one of PartFilter, …
	What string // such as "NOT IN"
	Of   string // a kind of value, or _id, _rev, _meta; "" where there is no such thing
	Support
}

// Abilities lists what a store of those features does by itself: every operator
// with every kind of value that it takes, then sorting, paging, projection, the
// aggregates, and what writes may be. It asks the features what the planner asks
// them, with sample conditions on a field, so a condition of a particular
// pattern or path may fare otherwise: Explain tells about one query.
func Abilities(f *Features) []AbilityInfo {
	var all []AbilityInfo
	for op := Eq; op <= lastOp; op++ {
		for _, s := range samples() {
			if c := s.cond(op); CheckExpr(c) == nil {
				all = append(all, AbilityInfo{PartFilter, op.String(), s.of, f.filter(c)})
			}
		}
	}
	for _, s := range []struct {
		of string
		by []Order
	}{
		{"a field", []Order{{Path: sampleField}}}, {"several fields", []Order{{Path: sampleField}, {Path: Path{{Name: "g"}}, Desc: true}}},
		{"_id", []Order{{Path: PathID}}},
	} {
		all = append(all, AbilityInfo{PartSort, "ORDER BY", s.of, f.sort(s.by)})
	}
	all = append(all,
		AbilityInfo{PartPage, "LIMIT, OFFSET", "", supportIf(f.Limit, "the store knows no limit")},
		AbilityInfo{PartPage, "cursor", "", supportIf(f.Seek, "the store cannot start in the middle")},
		AbilityInfo{PartSelect, "SELECT", "", supportIf(f.Project, "the store yields whole records")},
	)
	all = append(all, f.groupAbilities()...)
	return append(all,
		AbilityInfo{PartWriting, "atomic batches", "", supportIf(f.Atomic, "the store cannot apply a batch all or nothing")},
		AbilityInfo{PartWriting, "metadata", "", supportIf(f.Metadata, "the store keeps no metadata")})
}

func (f *Features) groupAbilities() []AbilityInfo {
	var all []AbilityInfo
	for _, x := range []struct {
		what, of string
		agg      Aggregation
	}{
		{"count(*)", "", Aggregation{Columns: []Column{{Agg: CountAll}}}},
		{"count", "a field", aggregationOf(Count)},
		{"sum", "a field", aggregationOf(Sum)},
		{"avg", "a field", aggregationOf(Avg)},
		{"min", "a field", aggregationOf(Min)},
		{"max", "a field", aggregationOf(Max)},
		{"GROUP BY", "a field", Aggregation{GroupBy: []Path{sampleField}, Columns: []Column{{Agg: CountAll}}}},
	} {
		sup := Support{Reason: "the store cannot aggregate"}
		if f.Aggregate != nil {
			sup = f.Aggregate(&x.agg)
		}
		if x.of == "" && sup.Fidelity != Exact {
			continue // a Counter may still count, of which Features says nothing
		}
		all = append(all, AbilityInfo{PartGroup, x.what, x.of, sup})
	}
	return all
}

func aggregationOf(a Agg) Aggregation {
	return Aggregation{Columns: []Column{{Agg: a, Path: sampleField}}}
}

func (f *Features) filter(c *Cond) Support {
	if f.Filter == nil {
		return Support{Reason: "the store cannot filter"}
	}
	sup := f.Filter(c)
	if c.Op.isMatch() && sup.Fidelity == None && sup.Reason == "" {
		sup.Reason = "it has no full-text search"
	}
	return sup
}

func (f *Features) sort(by []Order) Support {
	switch {
	case f.Sort == nil:
		return Support{Reason: "the store cannot sort"}
	case f.SortLimit > 0:
		sup := f.Sort(by)
		if sup.Fidelity == Exact {
			sup.Reason = fmt.Sprintf("with a limit of at most %d", f.SortLimit)
		}
		return sup
	}
	return f.Sort(by)
}

func supportIf(can bool, why string) Support {
	if can {
		return Support{Fidelity: Exact}
	}
	return Support{Reason: why}
}

var sampleField = Path{{Name: "f"}}

// A sample is a value to compare something with.
type sample struct {
	of    string
	path  Path
	value Value
}

func samples() []sample {
	return []sample{
		{"bool", sampleField, Bool(true)},
		{"int", sampleField, Int(7)},
		{"float", sampleField, Float(2.5)},
		{"time", sampleField, Time(time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC))},
		{"string", sampleField, String("a%b")},
		{"bytes", sampleField, Bytes([]byte("ab"))},
		{"array", sampleField, Array(Int(7))},
		{"object", sampleField, Object(Fields{F("a", 7)})},
		{"_id", PathID, String("a%b")},
		{"_rev", PathRevision, String("ab")},
		{"_meta", Path{{Name: "_meta"}, {Name: "a"}}, String("a%b")},
	}
}

// cond is a condition with that operator; of operators that take no value, one
// of the field only.
func (s sample) cond(op Op) *Cond {
	c := &Cond{Path: s.path, Op: op}
	switch least, _ := op.arity(); {
	case op == In || op == NotIn || least == 2:
		c.Args = []Value{s.value, s.value}
	case least == 1:
		c.Args = []Value{s.value}
	}
	return c
}
