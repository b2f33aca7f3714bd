package drivertest

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/internal/txfake"
)

// A faulty driver is the memory driver with one fault. The suite must find
// each.
type faulty struct {
	*memory.Driver
	fault string
	f     dataknobs.Features
}

// faults are faults that real drivers have had, each with what it does.
var faults = []string{
	"says that LIKE is exact and folds case",
	"says that != is exact and selects nulls",
	"compares numbers as floats",
	"limits before the filter is done",
	"breaks ties as it likes",
	"sorts nulls first",
	"drops empty records",
	"turns 1.0 into an int",
	"drops metadata",
	"drops nulls in arrays",
	"cuts strings at 1000 bytes",
	"folds the case of IDs",
	"keeps the revision",
	"overwrites on create",
	"says that every write of a batch was applied",
	"counts one too many",
	"skips a record in a page",
	"hands out the record that it holds",
	"ignores cancellation",
	"stops at 1000 records",
	"sums through floats",
	"loses the order of a batch",
}

func newFaulty(fault string) dataknobs.Driver {
	d := &faulty{Driver: memory.New(memory.Options{}), fault: fault}
	d.f = *d.Driver.Features()
	filter := d.f.Filter
	d.f.Filter = func(c *dataknobs.Cond) dataknobs.Support {
		if s := filter(c); s.Fidelity != dataknobs.None {
			return s
		}
		return dataknobs.CanCompile(c)
	}
	switch fault {
	case "hands out the record that it holds":
		d.f.Shared = false
	case "limits before the filter is done":
		d.f.Limit = true
	case "breaks ties as it likes", "sorts nulls first":
		d.f.Limit, d.f.Seek = false, false
		d.f.Sort = func([]dataknobs.Order) dataknobs.Support { return dataknobs.Support{Fidelity: dataknobs.Exact} }
	case "skips a record in a page":
		d.f.Limit, d.f.Seek = true, true
	case "sums through floats":
		d.f.Aggregate = func(*dataknobs.Aggregation) dataknobs.Support { return dataknobs.Support{Fidelity: dataknobs.Exact} }
	default:
		d.f.Limit = false
	}
	return d
}

func (d *faulty) Features() *dataknobs.Features { return &d.f }

// test is the driver's filter, with the fault.
func (d *faulty) test(e dataknobs.Expr, r *dataknobs.Record) bool {
	return evaluateConds(e, func(c *dataknobs.Cond) truth {
		v := lookup(r, c.Path)
		switch {
		case d.fault == faults[0] && c.Op == dataknobs.Like:
			folded := *c
			folded.Op = dataknobs.ILike
			return condition(&folded, v)
		case d.fault == faults[1] && c.Op == dataknobs.Ne && v.IsNull():
			return isTrue
		case d.fault == faults[2] && v.IsNumber() && c.Op == dataknobs.Eq && c.Args[0].IsNumber():
			return truthOf(v.Float() == c.Args[0].Float())
		}
		return condition(c, v)
	}) == isTrue
}

func (d *faulty) Scan(ctx context.Context, s *dataknobs.Scan) iter.Seq2[*dataknobs.Record, error] {
	if d.fault == "ignores cancellation" {
		ctx = context.WithoutCancel(ctx)
	}
	return func(yield func(*dataknobs.Record, error) bool) {
		var recs []*dataknobs.Record
		for r, err := range d.Driver.Scan(ctx, &dataknobs.Scan{}) {
			if err != nil {
				yield(nil, err)
				return
			}
			if d.fault == "limits before the filter is done" && s.HasLimit && len(recs) >= s.Limit+s.Offset {
				break
			}
			if d.fault != "limits before the filter is done" && !d.test(s.Where, r) || d.fault == "stops at 1000 records" && len(recs) == 1000 {
				continue
			}
			recs = append(recs, r)
		}
		recs = slices.DeleteFunc(d.page(s, recs), func(r *dataknobs.Record) bool { return !d.test(s.Where, r) })
		for _, r := range recs {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// page orders and cuts, with the fault.
func (d *faulty) page(s *dataknobs.Scan, recs []*dataknobs.Record) []*dataknobs.Record {
	os := slices.Clone(s.OrderBy)
	for i := range os {
		if d.fault == "sorts nulls first" {
			os[i].Nulls = dataknobs.NullsFirst
		}
	}
	if d.fault == "breaks ties as it likes" {
		os = append(os, dataknobs.Order{Path: dataknobs.PathID, Desc: true})
	}
	if len(os) > 0 {
		recs = modelSort(os, recs)
	}
	if s.After != nil {
		recs = slices.DeleteFunc(recs, func(r *dataknobs.Record) bool { return !isAfter(s, r) })
		if d.fault == "skips a record in a page" && len(recs) > 1 {
			recs = recs[1:]
		}
	}
	q := &dataknobs.Query{Offset: s.Offset}
	if s.HasLimit {
		q.Limit = &s.Limit
	}
	return modelPage(q, recs)
}

func (d *faulty) Count(ctx context.Context, where dataknobs.Expr, stats *dataknobs.ScanStats) (int64, error) {
	n := int64(0)
	for _, err := range d.Scan(ctx, &dataknobs.Scan{Where: where}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	if d.fault == "counts one too many" {
		n++
	}
	return n, nil
}

func (d *faulty) Aggregate(ctx context.Context, a *dataknobs.Aggregation) iter.Seq2[dataknobs.Group, error] {
	return func(yield func(dataknobs.Group, error) bool) {
		var recs []*dataknobs.Record
		for r, err := range d.Scan(ctx, &dataknobs.Scan{Where: a.Where}) {
			if err != nil {
				yield(dataknobs.Group{}, err)
				return
			}
			recs = append(recs, r)
		}
		for _, g := range groupsOf(a.GroupBy, recs) {
			out := dataknobs.Group{Keys: g.keys}
			for _, c := range a.Columns {
				v, err := aggregate(c.Agg, c.Path, g.members)
				if c.Agg == dataknobs.Sum && v.Kind() == dataknobs.KindInt {
					v = dataknobs.Int(int64(v.Float()))
				}
				if err != nil {
					v = dataknobs.Int(0)
				}
				out.Values = append(out.Values, v)
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

func (d *faulty) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	c := *b
	c.Writes = slices.Clone(b.Writes)
	for i := range c.Writes {
		d.spoil(&c.Writes[i])
	}
	if d.fault == "loses the order of a batch" {
		slices.Reverse(c.Writes)
	}
	res, err := d.Driver.Apply(ctx, &c)
	if d.fault == "loses the order of a batch" {
		slices.Reverse(res)
	}
	for i := range res {
		if d.fault == "keeps the revision" && res[i].Err == nil {
			res[i].Revision = "1"
		}
		if d.fault == "says that every write of a batch was applied" && len(res) > 1 {
			res[i].Err = nil
		}
	}
	return res, err
}

// spoil puts the fault into one write.
func (d *faulty) spoil(w *dataknobs.Write) {
	switch {
	case d.fault == "overwrites on create" && w.If == dataknobs.IfAbsent:
		w.If = dataknobs.Always
	case d.fault == "folds the case of IDs":
		w.ID = strings.ToLower(w.ID)
	}
	if w.Record == nil {
		return
	}
	w.Record = w.Record.Clone()
	switch d.fault {
	case "drops metadata":
		w.Record.Metadata = nil
	case "drops empty records":
		if len(w.Record.Fields) == 0 {
			w.ID = "nowhere"
		}
	}
	for i := range w.Record.Fields {
		v := &w.Record.Fields[i].Value
		switch {
		case d.fault == "turns 1.0 into an int" && v.Kind() == dataknobs.KindFloat && v.Float() == 1:
			*v = dataknobs.Int(1)
		case d.fault == "cuts strings at 1000 bytes" && v.Len() > 1000 && v.Kind() == dataknobs.KindString:
			*v = dataknobs.String(v.Str()[:1000])
		case d.fault == "drops nulls in arrays" && v.Kind() == dataknobs.KindArray:
			*v = dataknobs.Array(slices.DeleteFunc(slices.Collect(v.Elems()), dataknobs.Value.IsNull)...)
		}
	}
}

// TestFaults runs the suite over each faulty driver in a process of its own,
// which must fail.
func TestFaults(t *testing.T) {
	if fault := os.Getenv("DRIVERTEST_FAULT"); fault != "" {
		Run(t, Harness{Open: func(*testing.T) *dataknobs.DB {
			if slices.Contains(txfake.Faults, fault) {
				d := txfake.New()
				d.Fault = fault
				return dataknobs.New(d, nil)
			}
			return dataknobs.New(newFaulty(fault), nil)
		}})
		return
	}
	if testing.Short() {
		t.Skip("starts a process for each fault")
	}
	for _, fault := range slices.Concat([]string{"none"}, faults, txfake.Faults) {
		t.Run(fault, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaults$", "-test.short", "-test.timeout=2m")
			cmd.Env = append(os.Environ(), "DRIVERTEST_FAULT="+fault)
			out, err := cmd.CombinedOutput()
			if found := err != nil; found != (fault != "none") {
				t.Errorf("the suite found a fault: %v; wanted %v\n%s", found, !found, out)
			}
			t.Log(strings.Count(string(out), "--- FAIL:"), "subtests failed")
		})
	}
}
