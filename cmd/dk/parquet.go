package main

import (
	"bufio"
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
)

// A parquetPrinter writes a Parquet file: its end tells where everything is,
// so it grows in a temporary file first.
type parquetPrinter struct {
	w    *bufio.Writer
	s    shape
	next chan *dataknobs.Record // to the loader
	back chan error             // the loader has taken the record, or has ended
	dir  string
	err  error
	// failure is why no more records come; set before next is closed.
	failure error
}

func newParquetPrinter(ctx context.Context, w *bufio.Writer, s shape) *parquetPrinter {
	p := &parquetPrinter{w: w, s: s, next: make(chan *dataknobs.Record), back: make(chan error, 1)}
	if p.dir, p.err = os.MkdirTemp("", "dk-"); p.err != nil {
		return p
	}
	go func() { p.back <- p.load(ctx) }()
	return p
}

func (p *parquetPrinter) path() string { return filepath.Join(p.dir, "output.parquet") }

func (p *parquetPrinter) load(ctx context.Context) error {
	d, err := file.New(ctx, file.Options{Path: p.path()})
	if err != nil {
		return err
	}
	db := dataknobs.New(d, nil)
	_, err = db.Load(ctx, p.records(), nil)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return err
}

// records yields what is printed, with the IDs that are shown.
func (p *parquetPrinter) records() iter.Seq2[*dataknobs.Record, error] {
	return func(yield func(*dataknobs.Record, error) bool) {
		for rec := range p.next {
			if !yield(rec, nil) {
				return
			}
		}
		if p.failure != nil {
			yield(nil, p.failure)
		}
	}
}

func (p *parquetPrinter) print(rec *dataknobs.Record) error {
	if p.err != nil {
		return p.err
	}
	if !p.s.id {
		rec.ID = ""
	}
	select {
	case p.next <- rec:
		return nil
	case p.err = <-p.back:
		if p.err == nil {
			p.err = io.ErrUnexpectedEOF
		}
		return p.err
	}
}

// close ends the file and copies it out.
func (p *parquetPrinter) close(failure error) error {
	if p.dir == "" {
		return p.err
	}
	defer os.RemoveAll(p.dir)
	p.failure = failure
	close(p.next)
	if p.err != nil {
		return p.err
	}
	if err := <-p.back; err != nil || failure != nil {
		return err
	}
	f, err := os.Open(p.path())
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(p.w, f)
	return err
}
