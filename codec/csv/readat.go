package csv

import (
	"context"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
)

// ReadAt reads the rows at offsets, whole. Compressed files are read forward
// from their beginning. All kinds are settled first.
func (f *file) ReadAt(ctx context.Context, offsets []int64, each func(i int, rec *dataknobs.Record) error) error {
	if len(offsets) == 0 {
		return nil
	}
	if err := f.settle(ctx, f.all()); err != nil {
		return err
	}
	p := f.plan(&codec.Scan{})
	r := &reader{f: f, split: f.splitter()}
	w := blocks.Window{Source: &f.src}
	defer w.Close()
	var row []byte
	for i, off := range offsets {
		data, err := w.Read(ctx, off, r.rowEnd)
		if err != nil {
			return err
		}
		row = padded(append(row[:0], data...), true)
		r.reset(row, off, 0)
		_, ok, err := r.next(0, true)
		if err != nil {
			return err
		}
		if !ok {
			return f.errorf("there is no row at byte %d", off)
		}
		rec, err := r.record(p, func(n int) dataknobs.Fields { return make(dataknobs.Fields, n) })
		if err == nil {
			err = each(i, rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rowEnd returns the end of the row at the front of data; 0 if it goes on.
func (r *reader) rowEnd(data []byte, last bool) (int, error) {
	if last && data[len(data)-1] != '\n' {
		data = append(data[:len(data):len(data)], '\n')
		n, err := r.rowEnd(data, false)
		return min(n, len(data)-1), err
	}
	_, next, st := r.split.any(data, 0)
	switch st {
	case whole:
		return next, nil
	case incomplete:
		return 0, nil
	}
	return 0, r.f.splitError(r.split, data, 0, 1, st)
}
