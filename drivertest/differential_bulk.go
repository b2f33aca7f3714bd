package drivertest

import "dataknobs.dev/dataknobs"

// bulk returns a random write of many records.
func (g *gen) bulk() bulk {
	b := bulk{kind: bulkKind(g.IntN(3))}
	switch b.kind {
	case bulkDelete:
		b.where = g.fewHits()
	case bulkPatch:
		b.where = g.fewHits()
		f := pick(g, g.fields)
		b.changes = []dataknobs.Change{{Path: dataknobs.Names(f.name), Value: g.fieldValue(f, 1), Remove: g.oneIn(3)}, change("patched", true)}
	default: // new and old records, some of them twice
		b.mode = pick(g, []dataknobs.LoadMode{dataknobs.LoadPut, dataknobs.LoadSkip})
		for range g.IntN(25) {
			b.recs = append(b.recs, g.record(pick(g, genIDs)))
		}
	}
	return b
}

// fewHits is a condition that mostly selects few records.
func (g *gen) fewHits() dataknobs.Expr {
	return dataknobs.And{g.cond(), g.expr(2, func() dataknobs.Expr { return g.cond() })}
}

// bulk makes the write, whose outcome is to be want, and compares everything.
func (d *duel) bulk(b bulk, want bulkOutcome) {
	got, err := d.applyBulk(b)
	if err != nil || got != want {
		d.Errorf("%s:\n got    %+v, %s\n wanted %+v", showBulk(b), got, outcome(err), want)
	}
	d.compareAll()
}

func (d *duel) applyBulk(b bulk) (out bulkOutcome, err error) {
	switch b.kind {
	case bulkDelete:
		out.hits, err = d.db.DeleteWhere(d.ctx, b.where)
	case bulkPatch:
		out.hits, err = d.db.PatchWhere(d.ctx, b.where, b.changes)
	default:
		var res *dataknobs.LoadResult
		if res, err = d.db.Load(d.ctx, stream(b.recs, nil), &dataknobs.LoadOptions{Mode: b.mode}); err == nil {
			out = bulkOutcome{res.Written, res.Skipped}
		}
	}
	return out, err
}

func showBulk(b bulk) string {
	where := (&dataknobs.Query{Where: b.where}).String()
	switch b.kind {
	case bulkDelete:
		return "DeleteWhere " + where
	case bulkPatch:
		return "PatchWhere " + where + " " + showChanges(b.changes)
	}
	return "Load of " + showAll(b.recs)
}
