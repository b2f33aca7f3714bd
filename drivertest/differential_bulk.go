package drivertest

import (
	"slices"

	"dataknobs.dev/dataknobs"
)

// bulk makes one write of many records by condition or as a stream.
func (d *duel) bulk() {
	switch d.gen.IntN(3) {
	case 0:
		d.deleteWhere()
	case 1:
		d.patchWhere()
	default:
		d.load()
	}
	d.compareAll()
}

// someExpr is a condition that mostly selects few records.
func (d *duel) someExpr() dataknobs.Expr {
	return dataknobs.And{d.gen.cond(), d.gen.expr(2, func() dataknobs.Expr { return d.gen.cond() })}
}

func (d *duel) deleteWhere() {
	e := d.someExpr()
	kept := slices.DeleteFunc(slices.Clone(d.recs), func(r *dataknobs.Record) bool { return matches(e, r) })
	n, err := d.db.DeleteWhere(d.ctx, e)
	d.wantBulk("DeleteWhere", e, n, err, len(d.recs)-len(kept))
	d.recs = kept
}

func (d *duel) patchWhere() {
	e := d.someExpr()
	f := pick(d.gen, d.gen.fields)
	changes := []dataknobs.Change{{Path: dataknobs.Names(f.name), Value: d.gen.fieldValue(f, 1), Remove: d.gen.oneIn(3)}, change("patched", true)}
	n, err := d.db.PatchWhere(d.ctx, e, changes)
	hits := 0
	for i, r := range d.recs {
		if !matches(e, r) {
			continue
		}
		hits++
		next, err := dataknobs.ApplyChanges(r, changes)
		d.must(err, "ApplyChanges to %s", show(r))
		d.recs[i] = next
	}
	d.wantBulk("PatchWhere", e, n, err, hits)
}

func (d *duel) wantBulk(call string, e dataknobs.Expr, n int64, err error, want int) {
	d.Helper()
	if err != nil || n != int64(want) {
		d.Errorf("%s %s: got %d, error %v; wanted %d", call, &dataknobs.Query{Where: e}, n, err, want)
	}
}

// load streams new and old records, some of them twice.
func (d *duel) load() {
	mode := pick(d.gen, []dataknobs.LoadMode{dataknobs.LoadPut, dataknobs.LoadSkip})
	var recs []*dataknobs.Record
	written, skipped := int64(0), int64(0)
	for range d.gen.IntN(25) {
		r := d.gen.record(pick(d.gen, genIDs))
		recs = append(recs, r)
		i := slices.IndexFunc(d.recs, func(o *dataknobs.Record) bool { return o.ID == r.ID })
		switch {
		case i < 0:
			d.recs = append(slices.Clip(d.recs), r.Clone())
		case mode == dataknobs.LoadSkip:
			skipped++
			continue
		default:
			d.recs = slices.Clone(d.recs)
			d.recs[i] = r.Clone()
		}
		written++
	}
	res, err := d.db.Load(d.ctx, stream(recs, nil), &dataknobs.LoadOptions{Mode: mode})
	d.must(err, "Load of %s", showAll(recs))
	if res.Written != written || res.Skipped != skipped {
		d.Errorf("Load of %s:\n got    %d written, %d skipped\n wanted %d and %d", showAll(recs), res.Written, res.Skipped, written, skipped)
	}
}
