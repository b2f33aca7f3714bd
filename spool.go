package dataknobs

import (
	"bufio"
	"io"
)

// spoolBytes is how much memory a spool takes before it turns to the disk.
const spoolBytes = 8 << 20

// A spool keeps records in the order in which they come, on disk where they
// are many.
type spool struct {
	recs   []*Record // the first ones
	file   *spillFile
	runs   []spillRun // the rest
	reader *runReader // of the run before runs[0]
}

// A spoolWriter takes what is to be added to a spool.
type spoolWriter struct {
	most int64 // bytes of memory
	recs []*Record
	file *spillFile // nil: none yet
	run  *runWriter
	buf  []byte
}

// writer returns what may be filled while the spool is read, and then added.
func (s *spool) writer() *spoolWriter {
	most := int64(spoolBytes)
	if len(s.runs) > 0 || s.reader != nil {
		most = 0
	}
	return &spoolWriter{most: most, file: s.file}
}

func (w *spoolWriter) put(rec *Record) error {
	if w.run == nil && w.most > 0 {
		w.recs = append(w.recs, rec)
		w.most -= recordSize(rec)
		return nil
	}
	if w.run == nil {
		if err := w.spill(); err != nil {
			return err
		}
	}
	return w.write(rec)
}

// spill goes on in a file.
func (w *spoolWriter) spill() error {
	if w.file == nil {
		var err error
		if w.file, err = newSpillFile(""); err != nil {
			return err
		}
	}
	w.run = w.file.newRun()
	return nil
}

func (w *spoolWriter) write(rec *Record) error {
	b, err := rec.AppendBinary(w.buf[:0])
	if err != nil {
		return err
	}
	w.buf = b
	return w.run.write(b)
}

// add makes what w took the end of the spool.
func (s *spool) add(w *spoolWriter) error {
	s.recs = append(s.recs, w.recs...)
	s.file = w.file
	if w.run == nil {
		return nil
	}
	run, err := w.run.end()
	s.runs = append(s.runs, run)
	return err
}

// take returns the next record; nil where there is none yet.
func (s *spool) take() (*Record, error) {
	if len(s.recs) > 0 {
		rec := s.recs[0]
		s.recs[0] = nil
		s.recs = s.recs[1:]
		return rec, nil
	}
	for {
		if s.reader == nil {
			if len(s.runs) == 0 {
				return nil, nil
			}
			run := s.runs[0]
			s.runs = s.runs[1:]
			s.reader = &runReader{r: bufio.NewReaderSize(io.NewSectionReader(s.file.f, run.at, run.size), runBuffer)}
		}
		err := s.reader.next(byID)
		if err == nil {
			return s.reader.rec, nil
		}
		s.reader = nil
		if err != io.EOF {
			return nil, err
		}
	}
}

// byID is the order without keys.
var byID = NewOrdering(nil)

func (s *spool) close() {
	if s.file != nil {
		s.file.close()
	}
	*s = spool{}
}
