package file

import (
	"context"
	"errors"
	"sync"
)

// A queue runs the scans of several parts, some at once, and hands their
// blocks on in the order of the parts and, within a part, of the file. What is
// read ahead is bounded.
type queue struct {
	parts  []*part
	atOnce int
	each   int // workers of one part
	lanes  []lane
	free   chan struct{} // a token for each part that may be read now
}

// A lane is the blocks of one part.
type lane struct {
	blocks chan *block
	ended  chan struct{} // closed when the scan has ended; err is set then
	err    error
}

func newQueue(b *base, workers int) *queue {
	q := &queue{parts: b.parts}
	q.atOnce, q.each = b.spread(workers)
	q.lanes = make([]lane, len(b.parts))
	ahead := 2*numWorkers(workers) + 2
	for i := range q.lanes {
		q.lanes[i] = lane{blocks: make(chan *block, ahead), ended: make(chan struct{})}
	}
	q.free = make(chan struct{}, q.atOnce)
	return q
}

// run scans all parts by scan and returns when every scan has ended.
func (q *queue) run(ctx context.Context, scan func(ctx context.Context, p *part, workers int, blocks chan<- *block) error) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i, p := range q.parts {
		l := &q.lanes[i]
		select {
		case q.free <- struct{}{}:
		case <-ctx.Done():
			l.err = ctx.Err()
			close(l.ended)
			return
		}
		wg.Go(func() {
			defer func() { <-q.free }()
			defer close(l.ended)
			defer close(l.blocks)
			l.err = scan(ctx, p, q.each, l.blocks)
		})
	}
}

var errEnough = errors.New("enough")

// consume gives each block, in order, to take, until that says errEnough or
// fails. It returns the first error in the order of the files.
func (q *queue) consume(ctx context.Context, take func(*block) error) error {
	for i := range q.lanes {
		err := q.lanes[i].consume(ctx, take)
		if err == errEnough {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) consume(ctx context.Context, take func(*block) error) error {
	for {
		var b *block
		select {
		case blk, ok := <-l.blocks:
			if !ok {
				<-l.ended
				return l.err
			}
			b = blk
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-b.done:
		case <-l.ended:
			select {
			case <-b.done:
			default:
				return l.err // the block was not finished
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := take(b); err != nil {
			return err
		}
	}
}
