package file

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"dataknobs.dev/dataknobs"
)

// spooled is records in a temporary file.
type spooled struct {
	f   *os.File
	w   *bufio.Writer
	buf []byte
}

func newSpooled() (*spooled, error) {
	f, _, err := spool(strings.NewReader(""))
	if err != nil {
		return nil, err
	}
	return &spooled{f: f, w: bufio.NewWriterSize(f, 256<<10)}, nil
}

func (s *spooled) add(rec *dataknobs.Record) (err error) {
	if s.buf, err = rec.AppendBinary(s.buf[:0]); err != nil {
		return err
	}
	_, err = s.w.Write(s.buf)
	return ioError(os.TempDir(), err)
}

// each reads the records back.
func (s *spooled) each(ctx context.Context, f func(*dataknobs.Record) error) error {
	if err := s.w.Flush(); err != nil {
		return ioError(os.TempDir(), err)
	}
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return ioError(os.TempDir(), err)
	}
	r := bufio.NewReaderSize(s.f, 256<<10)
	t := ticker{ctx: ctx}
	for {
		head, err := r.Peek(4)
		if err == io.EOF && len(head) == 0 {
			return nil
		}
		if err != nil {
			return ioError(os.TempDir(), err)
		}
		n := 4 + int(binary.LittleEndian.Uint32(head))
		s.buf = slices.Grow(s.buf[:0], n)[:n]
		if _, err := io.ReadFull(r, s.buf); err != nil {
			return ioError(os.TempDir(), err)
		}
		rec, _, err := dataknobs.DecodeRecord(s.buf)
		if err == nil {
			err = t.err()
		}
		if err == nil {
			err = f(rec)
		}
		if err != nil {
			return err
		}
	}
}

// An idSet is a set of IDs by their hashes, of 128 bits: two different IDs do
// not meet.
type idSet struct {
	slots []xxh3.Uint128
	n     int
}

// add reports whether the ID was not there yet.
func (s *idSet) add(h xxh3.Uint128) bool {
	if h == (xxh3.Uint128{}) {
		h.Lo = 1 // the zero value means an empty slot
	}
	if s.n*4 >= len(s.slots)*3 {
		s.grow()
	}
	i := h.Lo & uint64(len(s.slots)-1)
	for ; s.slots[i] != (xxh3.Uint128{}); i = (i + 1) & uint64(len(s.slots)-1) {
		if s.slots[i] == h {
			return false
		}
	}
	s.slots[i] = h
	s.n++
	return true
}

func (s *idSet) grow() {
	old := s.slots
	s.slots, s.n = make([]xxh3.Uint128, max(1024, 2*len(old))), 0
	for _, h := range old {
		if h != (xxh3.Uint128{}) {
			s.add(h)
		}
	}
}
