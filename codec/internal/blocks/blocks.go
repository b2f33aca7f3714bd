// Package blocks reads a file in large blocks of whole records and works on
// several blocks at once. The formats of records that stand one after another
// (CSV, JSON) share it; each brings a function that cuts at record boundaries.
//
// Start at [Job].
package blocks

import (
	"context"
	"io"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

const (
	// Slack is how many bytes may be read past the end of Block.Data: they are
	// within its capacity, and their content means nothing.
	Slack = 16
	// firstSize and maxSize bound what is read at once: the first block is small
	// so that a query that needs few rows reads little.
	firstSize = 128 << 10
	maxSize   = 1 << 20
)

// A Block is a run of whole records of a file.
type Block struct {
	Index  int
	Data   []byte // the records; reused when the block's work is done
	Offset int64  // of Data[0] in the file
	Line   int64  // the line that Data[0] stands on, from 1
	Row    int64  // the number of the first record, from 0
	Rows   int64  // how many records there are
	Last   bool   // nothing follows
	User   any    // what Begin keeps for Work and End

	run *run
}

// Stopped reports whether the block's work is no longer wanted: the context
// was cancelled, or an earlier block failed. Work asks now and then, and
// returns nil then.
func (b *Block) Stopped() bool { return b.run.failed.Load() < int64(b.Index) }

// A Job is one pass over a file.
type Job struct {
	Source *codec.Source
	// Start says where the first record stands; Data is not set.
	Start Block
	// Head are bytes from Start on that were read already from Stream; both only for a
	// source that can be read once.
	Head   []byte
	Stream io.ReadCloser
	// Cut finds the end of the last whole record in data, which starts at a
	// record boundary and of which b says the place; it sets b.Rows. It returns 0
	// when not even one record is whole. If last, no bytes follow and all of data
	// must be taken. The slack behind data may be written. One goroutine at a time, in order.
	Cut func(b *Block, data []byte, last bool) (n int, err error)
	// Begin, if not nil, is called in the order of the blocks, one at a time.
	Begin func(b *Block) error
	// Work does a block. w numbers the goroutine, from 0 to below Workers.
	Work func(w int, b *Block) error
	// End, if not nil, is called in the order of the blocks, one at a time, after Work.
	End     func(b *Block) error
	Workers int // 0: one per core
	Stats   *dataknobs.ScanStats
}

// NumWorkers returns n, or for 0 the number of goroutines that may run at once.
func NumWorkers(n int) int {
	if n <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// run is the state of a Job that runs.
type run struct {
	*Job
	ctx    context.Context
	in     input
	taking sync.Mutex // guards the fields down to the blank line
	tail   []byte     // read, but after the last boundary
	at     Block      // where tail starts
	size   int
	eof    bool

	mu     sync.Mutex // guards the fields below
	cond   sync.Cond  // next or failed changed
	next   int        // the block whose End is due
	done   map[int]*Block
	ending bool // somebody is calling End
	err    error
	failed atomic.Int64 // the first block that failed; changed under mu
}

// Run does the job. It returns when all goroutines have ended: the error of
// the first block, in file order, that failed; nil for [codec.ErrStop].
func (j *Job) Run(ctx context.Context) error {
	r := &run{Job: j, ctx: ctx, at: j.Start, size: firstSize, done: map[int]*Block{}}
	r.cond.L = &r.mu
	r.failed.Store(math.MaxInt64)
	if err := r.in.open(ctx, j); err != nil {
		return err
	}
	defer r.in.close()
	stop := context.AfterFunc(ctx, func() {
		r.fail(-1, ctx.Err())
		r.in.close() // wakes a reader that waits for a pipe
	})
	defer stop()

	n := NumWorkers(j.Workers)
	if r.in.at != nil && j.Source.Size <= firstSize {
		n = 1 // it is one block
	}
	var wg sync.WaitGroup
	for w := 1; w < n; w++ {
		wg.Go(func() { r.work(w) })
	}
	r.work(0)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock() // the context may end just now
	defer r.mu.Unlock()
	if r.err == codec.ErrStop {
		return nil
	}
	return r.err
}

// fail notes that block i failed, unless an earlier one did.
func (r *run) fail(i int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if int64(i) < r.failed.Load() {
		r.failed.Store(int64(i))
		r.err = err
	}
	r.cond.Broadcast()
}

// work takes blocks and does them until there are no more.
func (r *run) work(w int) {
	var buf []byte
	for {
		var b *Block
		b, buf = r.take(buf)
		if b == nil {
			return
		}
		if err := r.Work(w, b); err != nil {
			r.fail(b.Index, err)
			continue
		}
		b.Data = nil
		r.retire(b)
	}
}

// take reads the next block into buf and returns it, with the buffer to pass
// next time; nil at the end.
func (r *run) take(buf []byte) (*Block, []byte) {
	r.taking.Lock()
	defer r.taking.Unlock()
	if r.eof && len(r.tail) == 0 || !r.turn(r.at.Index) {
		return nil, buf
	}
	b := r.at
	b.run = r
	buf, err := r.fill(&b, buf)
	if err == nil && len(b.Data) > 0 && r.Begin != nil {
		err = r.Begin(&b)
	}
	if err != nil {
		r.fail(b.Index, err)
		return nil, buf
	}
	if len(b.Data) == 0 {
		return nil, buf
	}
	return &b, buf
}

// turn waits until block i may begin: few enough are under way. It reports
// false when the job has failed.
func (r *run) turn(i int) bool {
	bound := 2*NumWorkers(r.Workers) + 2
	r.mu.Lock()
	defer r.mu.Unlock()
	for i-r.next >= bound && r.failed.Load() == math.MaxInt64 {
		r.cond.Wait()
	}
	return r.failed.Load() == math.MaxInt64
}

// retire ends b and the finished blocks after it, in order; when an earlier
// block is not finished yet, whoever finishes that one does.
func (r *run) retire(b *Block) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done[b.Index] = b
	if r.ending {
		return
	}
	r.ending = true
	for b := r.done[r.next]; b != nil && r.failed.Load() > int64(r.next); b = r.done[r.next] {
		delete(r.done, r.next)
		if r.End != nil {
			r.mu.Unlock()
			err := r.End(b)
			if err != nil {
				r.fail(b.Index, err)
			}
			r.mu.Lock()
		}
		r.next++
		r.cond.Broadcast()
	}
	r.ending = false
}
