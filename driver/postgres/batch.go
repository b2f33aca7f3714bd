package postgres

import (
	"context"
	"slices"

	"dataknobs.dev/dataknobs"
)

// applyMany applies a batch. Its error is that of the call; results then say
// what is known.
func (h *handle) applyMany(ctx context.Context, s *state, b *dataknobs.Batch, results []dataknobs.Result) error {
	if h.copies(s, b.Writes) {
		done, err := h.copyCreate(ctx, s, b.Writes, results)
		if err != nil {
			err = writeError(ctx, err)
			fill(results, err)
		}
		if done || err != nil {
			return err
		}
	}
	if b.Atomic {
		return h.applyAtomic(ctx, s, b.Writes, results)
	}
	for from := 0; from < len(b.Writes); from += maxBatch {
		to := min(from+maxBatch, len(b.Writes))
		if err := h.applyPart(ctx, s, b.Writes[from:to], results[from:to]); err != nil {
			fill(results[to:], err)
			return err
		}
	}
	return nil
}

// applyPart applies some writes, each of which may fail by itself.
func (h *handle) applyPart(ctx context.Context, s *state, ws []dataknobs.Write, results []dataknobs.Result) error {
	if len(ws) == 1 {
		return h.applyOne(ctx, s, &ws[0], &results[0])
	}
	if !s.keyless() && unnamed(ws) {
		return h.applyEach(ctx, s, ws, results)
	}
	err := h.retry(ctx, func(c *conn) error {
		clear(results)
		if rule, ok := h.plain(s, ws); ok {
			return h.plainPart(ctx, c, s, ws, results, rule)
		}
		return h.lockedPart(ctx, c, s, ws, results, false)
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && isItem(err): // one of them cannot be written: find it
		mid := len(ws) / 2
		if err := h.applyPart(ctx, s, ws[:mid], results[:mid]); err != nil {
			fill(results[mid:], err)
			return err
		}
		return h.applyPart(ctx, s, ws[mid:], results[mid:])
	}
	err = writeError(ctx, err)
	fill(results, err)
	return err
}

// applyAtomic applies all writes or none.
func (h *handle) applyAtomic(ctx context.Context, s *state, ws []dataknobs.Write, results []dataknobs.Result) error {
	if s.keyless() || unnamed(ws) {
		return h.atomicRows(ctx, s, ws, results)
	}
	err := h.retry(ctx, func(c *conn) error {
		clear(results)
		return h.lockedPart(ctx, c, s, ws, results, true)
	})
	switch {
	case err == nil:
	case ctx.Err() == nil && isItem(err):
		return h.blame(ctx, s, ws, results, err)
	default:
		err = writeError(ctx, err)
		fill(results, err)
		return err
	}
	for i := range results {
		if results[i].Err != nil {
			onlyFailed(results, i)
			break
		}
	}
	return nil
}

// onlyFailed leaves the i-th error; all others were not applied for its sake.
func onlyFailed(results []dataknobs.Result, i int) {
	err := results[i].Err
	fill(results, dataknobs.ErrNotApplied)
	results[i] = dataknobs.Result{Err: err}
}

// blame finds the write of an atomic batch that cannot be done, by doing them
// one after the other and undoing all of it.
func (h *handle) blame(ctx context.Context, s *state, ws []dataknobs.Write, results []dataknobs.Result, cause error) error {
	fill(results, dataknobs.ErrNotApplied)
	at, why := 0, classify(ctx, cause)
	err := h.with(ctx, func(c *conn) error {
		return h.inOwn(ctx, c, func() (bool, error) {
			in := &handle{d: h.d, c: c}
			for i := range ws {
				var res dataknobs.Result
				err := c.guarded(ctx, func() error { return in.oneBare(ctx, c, s, &ws[i], &res) })
				if err != nil && !isItem(err) {
					return false, err
				}
				if err != nil {
					res.Err = classify(ctx, err)
				}
				if res.Err != nil {
					at, why = i, res.Err
					return false, nil //nolint:nilerr // the write's own error is in its result
				}
			}
			return false, nil
		})
	})
	if err != nil {
		err = writeError(ctx, err)
		fill(results, err)
		return err
	}
	results[at] = dataknobs.Result{Err: why}
	return nil
}

// unnamed reports whether the database is to make the ID of some of them, which
// is known only once they are written.
func unnamed(ws []dataknobs.Write) bool {
	return slices.ContainsFunc(ws, func(w dataknobs.Write) bool { return w.ID == "" })
}

// applyEach applies writes one after the other.
func (h *handle) applyEach(ctx context.Context, s *state, ws []dataknobs.Write, results []dataknobs.Result) error {
	for i := range ws {
		if err := h.applyOne(ctx, s, &ws[i], &results[i]); err != nil {
			fill(results[i+1:], err)
			return err
		}
	}
	return nil
}

// atomicRows does writes one after the other, all or none: where there is no
// key, or the database makes it.
func (h *handle) atomicRows(ctx context.Context, s *state, ws []dataknobs.Write, results []dataknobs.Result) error {
	failed := -1
	err := h.retry(ctx, func(c *conn) error {
		clear(results)
		failed = -1
		return h.inOwn(ctx, c, func() (bool, error) {
			for i := range ws {
				in := &handle{d: h.d, c: c}
				err := in.oneBare(ctx, c, s, &ws[i], &results[i])
				if err != nil && isItem(err) {
					results[i].Err, err = classify(ctx, err), nil
				}
				if err != nil {
					return false, err
				}
				if results[i].Err != nil {
					failed = i
					return false, nil //nolint:nilerr // the write's own error is in its result
				}
			}
			return true, nil
		})
	})
	if err != nil {
		err = writeError(ctx, err)
		fill(results, err)
		return err
	}
	if failed >= 0 {
		onlyFailed(results, failed)
	}
	return nil
}

// plainRule is what a batch of one kind of write does.
type plainRule uint8

const (
	plainCreate plainRule = iota + 1
	plainPut
	plainDelete
)

// plain reports whether all writes are of one kind that needs no look at what
// is there, and of different records: one statement then does them all.
func (h *handle) plain(s *state, ws []dataknobs.Write) (rule plainRule, ok bool) {
	if s.keyless() {
		return plainCreate, true
	}
	if s.sql.rev == "" {
		return 0, false
	}
	ids := make(map[string]struct{}, len(ws))
	for i := range ws {
		w := &ws[i]
		var r plainRule
		switch {
		case w.Revision != "" || w.Op == dataknobs.WritePatch || w.Op == dataknobs.WritePut && w.If == dataknobs.IfPresent:
			return 0, false
		case w.Op == dataknobs.WriteDelete:
			r = plainDelete
		case w.If == dataknobs.IfAbsent:
			r = plainCreate
		default:
			r = plainPut
		}
		if i > 0 && r != rule {
			return 0, false
		}
		rule = r
		ids[w.ID] = struct{}{}
	}
	return rule, len(ids) == len(ws)
}

// plainPart does writes of one kind.
func (h *handle) plainPart(ctx context.Context, c *conn, s *state, ws []dataknobs.Write, results []dataknobs.Result, rule plainRule) error {
	b := newWave(h, c, s)
	refs := make([]*dataknobs.Result, len(ws))
	for i := range ws {
		refs[i] = &results[i]
		if rule == plainDelete {
			results[i].Err = b.delete(ws[i].ID, i)
			continue
		}
		r, err := s.encode(ws[i].Record, ws[i].ID)
		if err != nil {
			results[i].Err = err
			continue
		}
		r.at = i
		if rule == plainCreate {
			b.creates = append(b.creates, r)
		} else {
			b.puts = append(b.puts, r)
		}
	}
	single := b.statements() == 1
	switch {
	case single && !(h.inTx() && s.guard):
		return b.send(ctx, refs)
	case single:
		return c.guarded(ctx, func() error { return b.send(ctx, refs) })
	}
	return h.inOwn(ctx, c, func() (bool, error) {
		err := b.send(ctx, refs)
		return err == nil, err
	})
}

// lockedPart does writes of any kind in one transaction: it locks the records
// that there are, in the order of their IDs so that batches at once do not wait
// for each other, and then writes in waves, no record twice in one.
func (h *handle) lockedPart(ctx context.Context, c *conn, s *state, ws []dataknobs.Write, results []dataknobs.Result, atomic bool) error {
	return h.inOwn(ctx, c, func() (bool, error) {
		cur := map[string]*dataknobs.Record{}
		for part := range slices.Chunk(sortedIDs(ws), maxBatch) {
			b := newWave(h, c, s)
			if err := b.load(ctx, part); err != nil {
				return false, err
			}
			for id, rec := range b.cur {
				cur[id] = rec
			}
		}
		for _, wave := range waves(ws) {
			b := newWave(h, c, s)
			b.cur = cur
			refs := make([]*dataknobs.Result, len(wave))
			for k, i := range wave {
				refs[k] = &results[i]
				results[i].Err = b.plan(&ws[i], k)
				if results[i].Err != nil && atomic {
					return false, nil
				}
			}
			if err := b.send(ctx, refs); err != nil {
				return false, err
			}
			for _, i := range wave {
				if results[i].Err != nil && atomic {
					return false, nil
				}
				b.settle(&ws[i], &results[i])
			}
		}
		return true, nil
	})
}

// sortedIDs are the IDs of the writes, each once.
func sortedIDs(ws []dataknobs.Write) []string {
	ids := make([]string, len(ws))
	for i := range ws {
		ids[i] = ws[i].ID
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// waves splits writes so that no record is twice in one, and the writes of a
// record keep their order.
func waves(ws []dataknobs.Write) [][]int {
	var out [][]int
	seen := make(map[string]int, len(ws))
	for i := range ws {
		n := seen[ws[i].ID]
		seen[ws[i].ID] = n + 1
		if n == len(out) {
			out = append(out, nil)
		}
		out[n] = append(out[n], i)
	}
	return out
}
