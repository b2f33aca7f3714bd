package dataknobs

import (
	"context"
	"errors"
)

// maxRetries is how often a record that is changed by others all the time is
// read again before PatchWhere and DeleteWhere give up with Conflict.
const maxRetries = 10

// PatchWhere applies the changes to every record that the condition selects
// and returns how many were changed. nil selects all. The records are found
// first and then changed in batches: one that changes in between is read and
// checked again, so that none is changed of which the condition is no longer
// true; one that comes to fulfil it only in between may be left out. It stops
// at the first batch in which a record fails, with a *BatchError whose indexes
// count the records found; what was changed before stays so.
func (db *DB) PatchWhere(ctx context.Context, where Expr, changes []Change, opts ...BatchOption) (int64, error) {
	if err := db.checkChanges(changes); err != nil {
		return 0, db.fail("patch", "", err)
	}
	return db.changeWhere(ctx, "patch", where, opts, func(id, rev string) Write {
		return Write{Op: WritePatch, ID: id, Changes: changes, If: IfPresent, Revision: rev}
	})
}

// DeleteWhere removes every record that the condition selects and returns how
// many were removed. nil selects all. See [DB.PatchWhere].
func (db *DB) DeleteWhere(ctx context.Context, where Expr, opts ...BatchOption) (int64, error) {
	return db.changeWhere(ctx, "delete", where, opts, func(id, rev string) Write {
		return Write{Op: WriteDelete, ID: id, If: IfPresent, Revision: rev}
	})
}

// A whereJob changes the records that a condition selects.
type whereJob struct {
	db    *DB
	op    string
	opts  batchOptions
	where Expr
	match *Matcher // nil: only the store can answer where
	write func(id, rev string) Write
	done  int64
	seen  int // how many records were passed
}

func (db *DB) changeWhere(ctx context.Context, op string, where Expr, opts []BatchOption, write func(id, rev string) Write) (int64, error) {
	j := &whereJob{db: db, op: op, where: where, write: write}
	for _, o := range opts {
		o(&j.opts)
	}
	err := j.run(ctx)
	return j.done, db.fail(op, "", err)
}

func (j *whereJob) run(ctx context.Context) error {
	if err := j.db.writable(); err != nil {
		return err
	}
	switch {
	case j.db.f().RowIDs != "":
		return Errorf(Unsupported, "single records cannot be changed: %s", j.db.f().RowIDs)
	case j.opts.atomic:
		return Errorf(Unsupported, "changes by a condition cannot be all or nothing")
	}
	p, err := j.plan(ctx, j.where)
	if err != nil {
		return err
	}
	if Conds(p.q.Where, func(c *Cond) bool { return !c.Op.isMatch() }) {
		if j.match, err = Compile(p.q.Where); err != nil {
			return err
		}
	}
	p.warn(ctx)
	return j.changeFound(ctx, p)
}

// plan plans how to find the records that where selects.
func (j *whereJob) plan(ctx context.Context, where Expr) (*plan, error) {
	return j.db.plan(ctx, &Query{Where: where, Select: []Column{{Path: PathID}, {Path: PathRevision}}}, nil)
}

// changeFound finds the records, all of them before the first is changed: a
// scan of a store that changes under it might meet its own changes. They are
// kept sorted by ID, on disk where they are many.
func (j *whereJob) changeFound(ctx context.Context, p *plan) error {
	found := NewSorter(NewOrdering(nil))
	defer found.Close()
	if !p.none {
		for rec, err := range p.rows(ctx) {
			if err == nil {
				err = found.Add(ctx, &Record{ID: rec.ID, Revision: rec.Revision})
			}
			if err != nil {
				return err
			}
		}
	}
	var part []Write
	size := (&job{db: j.db, opts: j.opts}).size(defaultBatch)
	for rec, err := range found.All(ctx) {
		if err != nil {
			return err
		}
		if part = append(part, j.write(rec.ID, rec.Revision)); len(part) == size {
			if err := j.apply(ctx, part); err != nil {
				return err
			}
			part = part[:0]
		}
	}
	return j.apply(ctx, part)
}

// apply applies some of the writes. Those that meet a changed record are tried
// again while the condition is true of it.
func (j *whereJob) apply(ctx context.Context, ws []Write) error {
	total := len(ws)
	base := j.seen
	j.seen += total
	at := make([]int, total) // the index of each write among those found
	for i := range at {
		at[i] = base + i
	}
	for try := 0; len(ws) > 0; try++ {
		b := &job{db: j.db, op: j.op, writes: ws, results: make([]Result, len(ws)), opts: j.opts}
		b.applyEach(ctx)
		changed, err := j.settle(b, at, try)
		if err != nil || len(changed) == 0 {
			return err
		}
		if ws, at, err = j.again(ctx, ws, at, changed); err != nil {
			return err
		}
	}
	return nil
}

// settle counts what was done and returns which writes met a changed record.
func (j *whereJob) settle(b *job, at []int, try int) (changed []int, err error) {
	failed := &BatchError{Op: j.op, Store: j.db.name, Total: j.seen}
	for i, r := range b.results {
		switch {
		case r.Err == nil:
			j.done++
		case errors.Is(r.Err, NotFound): // removed meanwhile
		case errors.Is(r.Err, Conflict) && try < maxRetries:
			changed = append(changed, i)
		default:
			failed.Errors = append(failed.Errors, ItemError{Index: at[i], ID: b.writes[i].ID, Err: annotate(r.Err, "", "", "")})
		}
	}
	if len(failed.Errors) > 0 {
		return nil, failed
	}
	return changed, nil
}

// again reads the changed records and returns the writes of those of which the
// condition is still true.
func (j *whereJob) again(ctx context.Context, ws []Write, at, changed []int) (next []Write, nextAt []int, err error) {
	ids := make([]string, len(changed))
	for k, i := range changed {
		ids[k] = ws[i].ID
	}
	recs, err := j.still(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for k, rec := range recs {
		if rec != nil {
			next = append(next, j.write(rec.ID, rec.Revision))
			nextAt = append(nextAt, at[changed[k]])
		}
	}
	return next, nextAt, nil
}

// still reads those of the records of which the condition is still true; nil
// in the place of the others.
func (j *whereJob) still(ctx context.Context, ids []string) ([]*Record, error) {
	if j.match == nil {
		return j.ask(ctx, ids)
	}
	recs, err := j.db.getMany(ctx, ids)
	for i, rec := range recs {
		if rec != nil && !j.match.Match(rec) {
			recs[i] = nil
		}
	}
	return recs, err
}

// ask is still for a condition that only the store can answer.
func (j *whereJob) ask(ctx context.Context, ids []string) ([]*Record, error) {
	at := make(map[string]int, len(ids))
	among := &Cond{Path: PathID, Op: In}
	for i, id := range ids {
		at[id] = i
		among.Args = append(among.Args, String(id))
	}
	p, err := j.plan(ctx, And{among, j.where})
	if err != nil {
		return nil, err
	}
	recs := make([]*Record, len(ids))
	for rec, err := range p.rows(ctx) {
		if err != nil {
			return nil, err
		}
		recs[at[rec.ID]] = rec
	}
	return recs, nil
}
