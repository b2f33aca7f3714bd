package blocks

import (
	"context"
	"io"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// windowSize is how much is read at once around a single record.
const windowSize = 16 << 10

// A Window reads single records of a source by their offsets, best in
// ascending order: a source that cannot be read at random is read forward, and
// again from its beginning for an offset before the last one.
type Window struct {
	Source *codec.Source

	buf    []byte
	off    int64 // of buf[0]
	eof    bool  // nothing follows buf
	stream io.ReadCloser
}

// Close frees what the window holds.
func (w *Window) Close() {
	if w.stream != nil {
		w.stream.Close()
	}
}

// Read returns the record at off: end is given what stands there and returns
// where the record ends, 0 if it goes on after data; last means that nothing
// follows. The bytes are valid until the next call.
func (w *Window) Read(ctx context.Context, off int64, end func(data []byte, last bool) (int, error)) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := w.seek(ctx, off); err != nil {
		return nil, err
	}
	for {
		data := w.buf[off-w.off:]
		if len(data) > 0 {
			n, err := end(data, w.eof)
			if n > 0 || err != nil {
				return data[:n], err
			}
		}
		switch {
		case w.eof:
			return nil, dataknobs.Errorf(dataknobs.DataLoss, "%s: there is no record at byte %d", w.Source.Name, off)
		case len(data) > dataknobs.MaxRecordBytes:
			return nil, dataknobs.Errorf(dataknobs.ResourceExhausted, "%s: the record at byte %d has more than %d bytes",
				w.Source.Name, off, dataknobs.MaxRecordBytes)
		}
		if err := w.more(off); err != nil {
			return nil, err
		}
	}
}

// seek moves the window so that off is in it or right behind it.
func (w *Window) seek(ctx context.Context, off int64) error {
	behind := w.off + int64(len(w.buf))
	if off >= w.off && off <= behind && (w.stream != nil || w.Source.ReaderAt != nil) {
		return nil
	}
	if w.Source.ReaderAt != nil {
		w.buf, w.off, w.eof = w.buf[:0], off, false
		return nil
	}
	if w.stream == nil || off < w.off {
		if err := w.reopen(ctx); err != nil {
			return err
		}
		behind = 0
	}
	w.buf, w.off = w.buf[:0], off
	return skip(w.Source, w.stream, off-behind)
}

func (w *Window) reopen(ctx context.Context) error {
	if w.Source.Once {
		return dataknobs.Errorf(dataknobs.Unsupported, "%s: can be read only once", w.Source.Name)
	}
	w.Close()
	w.stream = nil
	s, err := w.Source.Open(ctx)
	if err != nil {
		return err
	}
	w.stream, w.eof = s, false
	return nil
}

// more reads more behind the window, and drops what stands before off.
func (w *Window) more(off int64) error {
	w.buf = append(w.buf[:0], w.buf[off-w.off:]...)
	w.off = off
	have := len(w.buf)
	want := max(windowSize, have)
	w.buf = append(w.buf, make([]byte, want)...)
	in := input{src: w.Source, at: w.Source.ReaderAt, off: off + int64(have), stream: w.stream}
	n, last, err := in.read(w.buf[have:])
	w.buf, w.eof = w.buf[:have+n], last
	return err
}
