package json

import (
	"context"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/internal/blocks"
	"dataknobs.dev/dataknobs/codec/internal/jsontext"
)

// ReadAt reads the records at offsets, whole. Compressed files are read
// forward from their beginning.
func (f *file) ReadAt(ctx context.Context, offsets []int64, each func(i int, rec *dataknobs.Record) error) error {
	w := newWorker(f, f.plan(&codec.Scan{NoRecords: true}))
	win := blocks.Window{Source: &f.src}
	defer win.Close()
	var buf []byte
	for i, off := range offsets {
		text, err := win.Read(ctx, off, f.recordEnd)
		if err != nil {
			return err
		}
		buf = append(append(buf[:0], text...), make([]byte, jsontext.Slack)...)
		w.setBlock(&blocks.Block{Data: buf[:len(text)], Offset: off})
		if _, err := w.record(0); err != nil {
			return err
		}
		rec, err := w.Record()
		if err == nil {
			err = each(i, rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recordEnd returns the end of the record, with its key in a keyed file, at the front
// of data; 0 if it goes on. If last, what is no record is left to who reads it.
func (f *file) recordEnd(data []byte, last bool) (int, error) {
	depth := 0
	wide := append(data[:len(data):len(data)], make([]byte, 8)...)
	for i := 0; i < len(data); i++ {
		switch class[data[i]] {
		case 1:
			i = stringEnd(wide, i, len(data))
		case 2:
			depth++
		case 3:
			if depth--; depth <= 0 {
				return i + 1, nil
			}
		}
	}
	if last {
		return len(data), nil
	}
	return 0, nil
}
