package blocks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// input is the bytes of a source from some offset on.
type input struct {
	src    *codec.Source
	head   []byte // comes before all else
	at     io.ReaderAt
	off    int64
	stream io.ReadCloser
	once   sync.Once
}

// open starts reading at j.Start.
func (in *input) open(ctx context.Context, j *Job) error {
	in.src, in.off = j.Source, j.Start.Offset
	switch {
	case j.Stream != nil:
		in.head, in.stream = j.Head, j.Stream
		return nil
	case j.Source.ReaderAt != nil:
		in.at = j.Source.ReaderAt
		return nil
	}
	rc, err := j.Source.Open(ctx)
	if err != nil {
		return err
	}
	in.stream = rc
	return skip(j.Source, rc, j.Start.Offset)
}

func skip(src *codec.Source, r io.Reader, n int64) error {
	if _, err := io.CopyN(io.Discard, r, n); err != nil {
		return ReadError(src, err)
	}
	return nil
}

// close ends the stream. It may be called twice, and while a read is under way.
func (in *input) close() {
	if in.stream != nil {
		in.once.Do(func() { in.stream.Close() })
	}
}

// read fills p as far as there are bytes; last means that none follow.
func (in *input) read(p []byte) (n int, last bool, err error) {
	if len(in.head) > 0 {
		n = copy(p, in.head)
		in.head = in.head[n:]
		if n == len(p) {
			return n, false, nil
		}
	}
	if in.at != nil {
		return in.readAt(p)
	}
	m, err := io.ReadFull(in.stream, p[n:])
	n += m
	switch err {
	case nil:
		return n, false, nil
	case io.EOF:
		return n, true, nil
	case io.ErrUnexpectedEOF:
		// A short read is the end of the file; a decompressor that misses bytes says
		// ErrUnexpectedEOF itself, again and again.
		var one [1]byte
		if _, err := in.stream.Read(one[:]); err == io.EOF {
			return n, true, nil
		}
	}
	return n, false, ReadError(in.src, err)
}

func (in *input) readAt(p []byte) (n int, last bool, err error) {
	if rest := max(in.src.Size-in.off, 0); int64(len(p)) >= rest {
		p, last = p[:rest], true
	}
	n, err = in.at.ReadAt(p, in.off)
	in.off += int64(n)
	switch {
	case n == len(p):
		return n, last, nil
	case err == io.EOF:
		return n, false, dataknobs.Errorf(dataknobs.DataLoss, "%s: became shorter while it was read, at byte %d", in.src.Name, in.off)
	}
	return n, false, ReadError(in.src, err)
}

// ReadError classifies an error of reading src.
func ReadError(src *codec.Source, err error) error {
	var e *dataknobs.Error
	switch {
	case err == nil || dataknobs.IsContext(err) || errors.As(err, &e):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return dataknobs.Errorf(dataknobs.DataLoss, "%s: ends in the middle of its compressed data: %w", src.Name, err)
	}
	return dataknobs.Errorf(dataknobs.DataLoss, "%s: cannot be read: %w", src.Name, err)
}

// fill reads until b holds at least one whole record, moves the place on, and
// returns the buffer that b's data stands in.
func (r *run) fill(b *Block, buf []byte) ([]byte, error) {
	want := max(r.size, 2*len(r.tail))
	if r.in.at != nil {
		want = min(want, len(r.tail)+int(max(r.Source.Size-r.in.off, 0)))
	}
	r.size = min(2*r.size, maxSize)
	have := len(r.tail)
	if len(buf) > 8*maxSize { // left from one huge record
		buf = nil
	}
	buf = grow(buf, 0, want)
	copy(buf, r.tail)
	for {
		if !r.eof {
			n, last, err := r.in.read(buf[have : len(buf)-Slack])
			if err != nil {
				return buf, err
			}
			have, r.eof = have+n, last
			if r.Stats != nil {
				r.Stats.Bytes.Add(int64(n))
			}
		}
		if have == 0 {
			return buf, nil
		}
		n, err := r.Cut(b, buf[:have], r.eof)
		if err != nil {
			return buf, err
		}
		if n > 0 || r.eof {
			r.advance(b, buf[:have], n)
			return buf, nil
		}
		if have > dataknobs.MaxRecordBytes {
			return buf, dataknobs.Errorf(dataknobs.ResourceExhausted, "%s: line %d: a record has more than %d bytes",
				r.Source.Name, b.Line, dataknobs.MaxRecordBytes)
		}
		buf = grow(buf, have, min(2*have, dataknobs.MaxRecordBytes+maxSize))
	}
}

// advance gives b its data and keeps the rest for the next block.
func (r *run) advance(b *Block, data []byte, n int) {
	b.Data = data[:n]
	b.Last = r.eof && n == len(data)
	r.tail = append(r.tail[:0], data[n:]...)
	r.at.Index++
	r.at.Offset += int64(n)
	r.at.Row += b.Rows
	r.at.Line += int64(bytes.Count(b.Data, []byte{'\n'}))
}

// grow returns a buffer of at least n bytes and the slack, with the first
// have bytes of buf.
func grow(buf []byte, have, n int) []byte {
	if len(buf) >= n+Slack {
		return buf
	}
	b := make([]byte, n+Slack)
	copy(b, buf[:have])
	return b
}
