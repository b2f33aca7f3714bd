package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/google/uuid"

	"dataknobs.dev/dataknobs"
)

// records yields what is copied, with the IDs that the destination is to see.
func (c *copier) records(ctx context.Context, q *dataknobs.Query) iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		for rec, err := range c.fields.until(c.src.Run(ctx, q, c.options()...)) {
			if err == nil && c.rowIDs() {
				rec.ID = ""
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// inBatches copies into a store that exists.
func (c *copier) inBatches(ctx context.Context) error {
	if err := c.checkKeys(); err != nil {
		return err
	}
	cp, err := c.checkpoint(ctx)
	if err != nil {
		return err
	}
	b := &batches{copier: c, cp: cp, batch: c.batch, parallel: c.workers(), resumed: cp.found}
	// Kept before anything is written, so that the next run knows what it meets.
	if err := cp.save(); err != nil {
		return err
	}
	if cp.Read > 0 {
		c.a.say("continuing after %s, as an earlier run of this command left it", count(cp.Read, "record"))
	}
	p := c.progress("copying")
	err = b.run(ctx)
	p.finish()
	if err == nil {
		if err = c.dst.Close(); err == nil {
			cp.remove() // the last step: whoever is killed before it can say the command again
		}
		return c.finish(ctx, b.written, b.skipped, err)
	}
	switch {
	case !b.any && !cp.found:
		cp.remove() // nothing has happened
	case cp.path == "":
	case ctx.Err() != nil:
		c.a.say("stopped after %s; the same command continues there", count(cp.Read, "record"))
	case cp.Read > 0:
		c.a.say("%s had been copied before this; the same command continues there:", count(cp.Read, "record"))
	}
	return err
}

// checkKeys refuses what would double records without anyone meaning it.
func (c *copier) checkKeys() error {
	f := features(c.dst)
	switch {
	case f.ReadOnly != "":
		return dataknobs.Errorf(dataknobs.Unsupported, "%s cannot be written: %s", c.dst.Name(), f.ReadOnly)
	case f.RowIDs != "" && !c.append:
		return dataknobs.Errorf(dataknobs.AlreadyExists, "%s exists, and its records have no key to tell whether they are there already", c.dst.Name()).
			WithHint("name a key with --dst-key, add every record again with --mode append, or remove the file")
	case f.RowIDs == "" && c.append:
		return usagef("--mode append is for files whose records have no key, and %s has one", c.dst.Name()).
			withHint("--mode create adds records")
	}
	return nil
}

// workers is how many batches are written at once. Two records of the source
// may have one ID only where the destination makes IDs of other fields; then
// one batch after the other keeps their order.
func (c *copier) workers() int {
	f := features(c.dst)
	switch {
	case c.append || f.Key != nil && !slices.Equal(f.Key, features(c.src).Key):
		return 1
	case c.parallel > 0:
		return c.parallel
	case f.Parallel:
		return 4
	}
	return 1
}

// A batches copies in batches and keeps the checkpoint behind them.
type batches struct {
	*copier
	cp       *checkpoint
	batch    int
	parallel int
	resumed  bool
	flying   []*piece // in the order of the source
	written  int64
	skipped  int64
	any      bool // something has been written
}

// A piece is one batch on its way.
type piece struct {
	writes  []dataknobs.Write
	lastID  string
	results []dataknobs.Result
	err     error
	done    chan struct{}
}

// run copies everything after the checkpoint. When it ends early, batches that
// are under way are waited for and count.
func (b *batches) run(ctx context.Context) error {
	err := b.read(ctx)
	for len(b.flying) > 0 {
		if serr := b.settle(ctx); serr != nil && (err == nil || dataknobs.IsContext(err)) {
			err = serr
		}
	}
	return err
}

func (b *batches) read(ctx context.Context) error {
	p := &piece{}
	for rec, err := range b.fields.until(b.src.Run(ctx, b.rest(), b.options()...)) {
		if err != nil {
			return err
		}
		p.lastID = rec.ID
		p.writes = append(p.writes, b.writeOf(rec, b.cp.Read+b.ahead()+int64(len(p.writes))))
		if len(p.writes) < b.batch {
			continue
		}
		if err := b.send(ctx, p); err != nil {
			return err
		}
		p = &piece{}
	}
	if len(p.writes) > 0 {
		return b.send(ctx, p)
	}
	return ctx.Err()
}

// ahead is how many records fly.
func (b *batches) ahead() (n int64) {
	for _, p := range b.flying {
		n += int64(len(p.writes))
	}
	return n
}

// rest is the query for what has not been copied, in an order that stays: the
// store's own, where it has one, else by ID.
func (b *batches) rest() *dataknobs.Query {
	q := *b.q
	if features(b.src).NaturalOrder {
		q.Offset = int(b.cp.Read)
		return &q
	}
	q.OrderBy = []dataknobs.Order{{Path: dataknobs.PathID}}
	limit := math.MaxInt
	q.Limit = &limit
	if b.cp.LastID != "" {
		after := &dataknobs.Cond{Path: dataknobs.PathID, Op: dataknobs.Gt, Args: []dataknobs.Value{dataknobs.String(b.cp.LastID)}}
		q.Where = after
		if b.q.Where != nil {
			q.Where = dataknobs.And{b.q.Where, after}
		}
	}
	return &q
}

// writeOf makes the write of the n-th record of the source.
func (b *batches) writeOf(rec *dataknobs.Record, n int64) dataknobs.Write {
	w := dataknobs.Write{Op: dataknobs.WritePut, Record: rec}
	f := features(b.dst)
	switch {
	case f.RowIDs != "":
		rec.ID = ""
	case f.Key != nil && !slices.Equal(f.Key, features(b.src).Key):
		rec.ID = "" // the key makes another
	case b.rowIDs():
		rec.ID = b.derivedID(n)
	}
	if b.mode != dataknobs.LoadPut {
		w.If = dataknobs.IfAbsent
	}
	return w
}

// derivedID is the ID of a record that has none: made of the source and the
// row, so that the same copy done twice meets the same records.
func (b *batches) derivedID(n int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", identity(b.a.place(b.srcName)), b.cp.Version, n))
	var u uuid.UUID
	copy(u[:], sum[:])
	u[6] = u[6]&0x0f | 0x80 // version 8: made in a way of one's own
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}

// send lets the piece fly once there is room.
func (b *batches) send(ctx context.Context, p *piece) error {
	for len(b.flying) >= b.parallel {
		if err := b.settle(ctx); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.done = make(chan struct{})
	b.flying = append(b.flying, p)
	go func() {
		defer close(p.done)
		// A batch that has begun is finished, so that it is known what was written.
		p.results, p.err = b.dst.Apply(context.WithoutCancel(ctx), p.writes)
	}()
	return nil
}

// settle waits for the oldest piece and moves the checkpoint behind it.
func (b *batches) settle(ctx context.Context) error {
	p := b.flying[0]
	<-p.done
	b.flying = b.flying[1:]
	if err := b.judge(context.WithoutCancel(ctx), p); err != nil {
		b.cp.broken = true // nothing after a failed piece may move the checkpoint
		return err
	}
	if b.cp.broken {
		return nil
	}
	b.cp.Read += int64(len(p.writes))
	b.cp.LastID = p.lastID
	err := b.cp.save()
	afterBatch()
	return err
}

// afterBatch lets tests stop a copy at a known place.
var afterBatch = func() {}

// judge counts what became of each record of a piece.
func (b *batches) judge(ctx context.Context, p *piece) error {
	var some *dataknobs.BatchError
	if p.err != nil && !errors.As(p.err, &some) {
		return p.err
	}
	for _, r := range p.results {
		b.any = b.any || r.Err == nil
	}
	for i, r := range p.results {
		switch {
		case r.Err == nil:
			b.written++
		case b.mode == dataknobs.LoadSkip && errors.Is(r.Err, dataknobs.AlreadyExists):
			b.skipped++
		case b.resumed && errors.Is(r.Err, dataknobs.AlreadyExists) && b.isThere(ctx, r.ID, p.writes[i].Record):
			b.written++
		default:
			return b.failure(p, i, r.Err)
		}
	}
	return nil
}

// isThere reports whether the destination holds the very record, written by
// the run that this one continues.
func (b *batches) isThere(ctx context.Context, id string, rec *dataknobs.Record) bool {
	have, err := b.dst.Get(ctx, id)
	return err == nil && have.Fields.Identical(rec.Fields) && have.Metadata.Identical(rec.Metadata)
}

func (b *batches) failure(p *piece, i int, err error) error {
	id := p.results[i].ID
	if id == "" {
		id = p.writes[i].Record.ID
	}
	if b.mode == dataknobs.LoadCreate && errors.Is(err, dataknobs.AlreadyExists) {
		return dataknobs.Errorf(dataknobs.AlreadyExists, "copy: %s: record %q exists already", b.dst.Name(), id).
			WithHint("--mode put replaces such records, --mode skip leaves them alone")
	}
	return fmt.Errorf("copy: %s: record %q: %w", b.dst.Name(), id, err)
}
