package parquet

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// maxFetch bounds how many rows are fetched ahead.
const maxFetch = 256

// sameGroup returns the first of the rows that lie in the row group, counted in
// it, at most maxFetch.
func (f *file) sameGroup(group int, rows []int64) []int64 {
	var out []int64
	for _, row := range rows {
		if len(out) == maxFetch || f.groupOf(row) != group {
			break
		}
		out = append(out, row-f.bases[group])
	}
	return out
}

// fetch decodes the pages that hold the rows, of all flat columns, on all cores.
func (m *maker) fetch(ctx context.Context, rows []int64) error {
	var chunks []*chunk
	err := m.all(func(r *reader) error {
		if r.c != nil {
			chunks = append(chunks, r.c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(chunks))
	for range min(runtime.GOMAXPROCS(0), len(chunks)) {
		wg.Go(func() {
			for {
				k := int(next.Add(1)) - 1
				if k >= len(chunks) || ctx.Err() != nil {
					return
				}
				errs[k] = chunks[k].fetch(rows)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *chunk) fetch(rows []int64) error {
	last := -1
	for _, row := range rows {
		i := c.pageOf(row)
		if i < 0 || i == last {
			continue
		}
		if _, err := c.page(i); err != nil {
			return err
		}
		last = i
	}
	return nil
}
