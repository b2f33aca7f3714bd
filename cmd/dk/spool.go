package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"dataknobs.dev/dataknobs"
)

// spoolInMemory is how many records a spool holds before it goes to a file.
const spoolInMemory = 1000

// A spool holds records back until the names of all their fields are known,
// and then prints them: a CSV file needs its header first. What is more than a
// little goes to a temporary file.
type spool struct {
	make  func(columns []string) printer
	names []string
	seen  map[string]bool
	recs  []*dataknobs.Record
	file  *os.File
	w     *bufio.Writer
	buf   []byte
}

func (s *spool) print(rec *dataknobs.Record) error {
	s.note(rec)
	if len(s.recs) < spoolInMemory {
		s.recs = append(s.recs, rec)
		return nil
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "dk-")
		if err != nil {
			return err
		}
		s.file, s.w = f, bufio.NewWriterSize(f, 256<<10)
	}
	return s.store(rec)
}

func (s *spool) note(rec *dataknobs.Record) {
	for i, f := range rec.Fields {
		if i < len(s.names) && s.names[i] == f.Name || s.seen[f.Name] {
			continue
		}
		if s.seen == nil {
			s.seen = map[string]bool{}
		}
		s.seen[f.Name] = true
		s.names = append(s.names, f.Name)
	}
}

// store appends rec to the file, after its length.
func (s *spool) store(rec *dataknobs.Record) (err error) {
	if s.buf, err = rec.AppendBinary(s.buf[:0]); err != nil {
		return err
	}
	if _, err = s.w.Write(binary.AppendUvarint(nil, uint64(len(s.buf)))); err != nil {
		return err
	}
	_, err = s.w.Write(s.buf)
	return err
}

func (s *spool) close(failure error) (err error) {
	p := s.make(s.names)
	if s.file != nil {
		defer os.Remove(s.file.Name())
		defer s.file.Close()
	}
	if failure != nil {
		return nil
	}
	defer func() {
		if cerr := p.close(err); err == nil {
			err = cerr
		}
	}()
	for _, rec := range s.recs {
		if err := p.print(rec); err != nil {
			return err
		}
	}
	if s.file == nil {
		return nil
	}
	if err := s.w.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return s.replay(bufio.NewReaderSize(s.file, 256<<10), p)
}

func (s *spool) replay(r *bufio.Reader, p printer) error {
	for {
		rec, err := readSpooled(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.print(rec); err != nil {
			return err
		}
	}
}

func readSpooled(r *bufio.Reader) (*dataknobs.Record, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	rec, _, err := dataknobs.DecodeRecord(b)
	return rec, err
}
