package s3

import (
	"context"
	"sync"
	"time"

	"dataknobs.dev/dataknobs"
)

// applyChunk is how many writes make one good Apply.
const applyChunk = 2048

// Apply implements dataknobs.Driver.
func (d *Driver) Apply(ctx context.Context, b *dataknobs.Batch) ([]dataknobs.Result, error) {
	results := make([]dataknobs.Result, len(b.Writes))
	if d.closed.Load() {
		return results, errClosed
	}
	if len(b.Writes) == 1 {
		results[0] = d.one(ctx, &b.Writes[0], nil)
		return results, callError(ctx, results)
	}
	graves := d.newGraves(ctx)
	queue := make(chan []int)
	var wg sync.WaitGroup
	workers := d.o.Parallel
	if b.Workers > 0 {
		workers = min(workers, b.Workers)
	}
	lines := lines(b.Writes)
	for range min(workers, len(lines)) {
		wg.Go(func() {
			for line := range queue {
				tomb := graves.add
				if len(line) > 1 {
					tomb = nil // a later write of the line needs the place
				}
				for _, i := range line {
					results[i] = d.one(ctx, &b.Writes[i], tomb)
				}
			}
		})
	}
	for _, line := range lines {
		queue <- line
	}
	close(queue)
	wg.Wait()
	graves.close()
	return results, callError(ctx, results)
}

// callError is the error of the call as a whole.
func callError(ctx context.Context, results []dataknobs.Result) error {
	if ctx.Err() == nil {
		return nil
	}
	for i := range results {
		if dataknobs.IsContext(results[i].Err) {
			return ctx.Err()
		}
	}
	return nil
}

// one applies one write.
func (d *Driver) one(ctx context.Context, w *dataknobs.Write, tomb func(grave)) dataknobs.Result {
	if err := ctx.Err(); err != nil {
		return dataknobs.Result{ID: w.ID, Err: err}
	}
	d.index.begin(w.ID)
	res, err := d.write(ctx, w, tomb)
	d.index.end(w.ID, certain(err))
	res.ID, res.Err = w.ID, err
	return res
}

// certain reports whether it is known what a write that came to err did.
func certain(err error) bool {
	switch dataknobs.CodeOf(err) {
	case dataknobs.NotFound, dataknobs.AlreadyExists, dataknobs.Conflict, dataknobs.InvalidArgument, dataknobs.Unsupported, dataknobs.PermissionDenied:
		return true
	}
	return err == nil
}

// lines returns the indexes of the writes, those of one ID together and in
// their order.
func lines(ws []dataknobs.Write) [][]int {
	out := make([][]int, 0, len(ws))
	all := make([]int, len(ws))
	at := make(map[string]int, len(ws))
	for i := range ws {
		all[i] = i
		if k, ok := at[ws[i].ID]; ok {
			out[k] = append(out[k], i)
			continue
		}
		at[ws[i].ID] = len(out)
		out = append(out, all[i:i+1:i+1])
	}
	return out
}

// graves collects the tombstones of a batch and deletes them a thousand at a
// time.
type graves struct {
	d    *Driver
	ctx  context.Context // without its end: what was acknowledged is cleared
	in   chan grave
	done sync.WaitGroup
	once sync.Once
}

const (
	graveBatch = 1000
	// graveWait is how long a tombstone waits for others: whoever creates the
	// record anew waits as long.
	graveWait = 100 * time.Millisecond
)

func (d *Driver) newGraves(ctx context.Context) *graves {
	return &graves{d: d, ctx: context.WithoutCancel(ctx), in: make(chan grave, graveBatch)}
}

func (g *graves) add(x grave) {
	g.once.Do(func() { g.done.Go(g.run) })
	g.in <- x
}

func (g *graves) close() {
	close(g.in)
	g.done.Wait()
}

func (g *graves) run() {
	var batch []grave
	tick := time.NewTicker(graveWait)
	defer tick.Stop()
	for {
		select {
		case x, ok := <-g.in:
			if !ok {
				g.flush(batch)
				return
			}
			if batch = append(batch, x); len(batch) < graveBatch {
				continue
			}
		case <-tick.C:
		}
		g.flush(batch)
		batch = nil
	}
}

// flush starts the deletion of a batch.
func (g *graves) flush(batch []grave) {
	if len(batch) == 0 {
		return
	}
	g.done.Go(func() { g.d.clearMany(g.ctx, batch) })
}

// clearMany deletes tombstones; those that it could not are left.
func (d *Driver) clearMany(ctx context.Context, batch []grave) {
	before := batch[0].before
	keys := make([]string, len(batch))
	for i, g := range batch {
		keys[i] = g.key
		if g.before.Before(before) {
			before = g.before
		}
	}
	ctx, cancel := context.WithDeadline(ctx, before)
	defer cancel()
	failed, err := d.removeMany(ctx, keys)
	for _, k := range keys {
		if err != nil || failed[k] != nil {
			d.old.add(k)
		}
	}
}
