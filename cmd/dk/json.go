package main

import (
	"bufio"

	"dataknobs.dev/dataknobs"
)

// An ndjsonPrinter prints one JSON object a line.
type ndjsonPrinter struct {
	w   *bufio.Writer
	s   shape
	buf []byte
}

func (p *ndjsonPrinter) print(rec *dataknobs.Record) error {
	p.buf = append(appendRecord(p.buf[:0], rec, &p.s), '\n')
	_, err := p.w.Write(p.buf)
	return err
}

func (p *ndjsonPrinter) close(error) error { return nil }

// appendRecord appends rec as one JSON object: its fields, and beside them
// what the shape shows of _id, _rev and _meta. What it writes is what dk put reads.
func appendRecord(b []byte, rec *dataknobs.Record, s *shape) []byte {
	start := len(b)
	b = append(b, '{')
	if s.id && rec.ID != "" {
		b = append(b, `"_id":`...)
		b = append(dataknobs.AppendJSONString(b, rec.ID), ',')
	}
	if s.rev && rec.Revision != "" {
		b = append(b, `"_rev":`...)
		b = append(dataknobs.AppendJSONString(b, rec.Revision), ',')
	}
	for i := range rec.Fields {
		b = dataknobs.AppendJSONString(b, rec.Fields[i].Name)
		b = append(b, ':')
		b = append(rec.Fields[i].Value.AppendJSON(b), ',')
	}
	if len(rec.Metadata) > 0 {
		b = append(b, `"_meta":`...)
		b = append(rec.Metadata.AppendJSON(b), ',')
	}
	if len(b) > start+1 {
		b = b[:len(b)-1] // the last comma
	}
	return append(b, '}')
}

// A jsonPrinter prints one JSON array, a record a line.
type jsonPrinter struct {
	ndjsonPrinter
	n int
}

func (p *jsonPrinter) print(rec *dataknobs.Record) error {
	sep := ",\n  "
	if p.n == 0 {
		sep = "[\n  "
	}
	p.n++
	p.buf = appendRecord(append(p.buf[:0], sep...), rec, &p.s)
	_, err := p.w.Write(p.buf)
	return err
}

func (p *jsonPrinter) close(failure error) error {
	if failure != nil {
		return nil //nolint:nilerr // the caller has it
	}
	end := "\n]\n"
	if p.n == 0 {
		end = "[]\n"
	}
	_, err := p.w.WriteString(end)
	return err
}
