package main

import (
	"bufio"
	"encoding/base64"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/csv"
)

// A csvPrinter prints CSV as the file store writes it: null is an empty cell,
// an empty text is "", so that the two stay apart; arrays and objects are JSON.
type csvPrinter struct {
	w    *bufio.Writer
	s    shape
	head []string
	out  codec.Writer // nil until the first record
	vs   []dataknobs.Value
	buf  []byte
	ends []int
	rec  dataknobs.Record
}

func newCSVPrinter(w *bufio.Writer, s shape) *csvPrinter {
	return &csvPrinter{w: w, s: s, head: s.head()}
}

// begin writes the header. All columns are texts: a record may hold any kind
// of value in any of them.
func (p *csvPrinter) begin() (err error) {
	l := &codec.Layout{Version: 1}
	for _, name := range p.head {
		l.Columns = append(l.Columns, codec.Column{Name: name, Kind: dataknobs.KindString.String()})
	}
	p.out, err = csv.Format{}.NewWriter(p.w, &codec.WriteOptions{Layout: l})
	p.rec.Fields = make(dataknobs.Fields, len(p.head))
	p.ends = make([]int, len(p.head))
	return err
}

func (p *csvPrinter) print(rec *dataknobs.Record) error {
	if p.out == nil {
		if err := p.begin(); err != nil {
			return err
		}
	}
	if len(p.head) == 0 {
		return nil // records without fields have no columns
	}
	p.vs, p.buf = p.s.row(p.vs[:0], rec), p.buf[:0]
	for i, v := range p.vs {
		p.buf = appendPlain(p.buf, v)
		p.ends[i] = len(p.buf)
	}
	text, start := string(p.buf), 0 // one allocation for all cells
	for i, v := range p.vs {
		cell := dataknobs.Null()
		if !v.IsNull() {
			cell = dataknobs.String(text[start:p.ends[i]])
		}
		p.rec.Fields[i] = dataknobs.Field{Name: p.head[i], Value: cell}
		start = p.ends[i]
	}
	return p.out.Write(&p.rec)
}

func (p *csvPrinter) close(failure error) error {
	if p.out == nil && failure == nil {
		if err := p.begin(); err != nil {
			return err
		}
	}
	if p.out == nil {
		return nil
	}
	return p.out.Close()
}

// appendPlain appends a value as text without quotes: nothing for null.
func appendPlain(b []byte, v dataknobs.Value) []byte {
	switch v.Kind() {
	case dataknobs.KindNull:
		return b
	case dataknobs.KindString:
		return append(b, v.Str()...)
	case dataknobs.KindTime:
		return dataknobs.AppendTime(b, v.Time())
	case dataknobs.KindBytes:
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	case dataknobs.KindArray, dataknobs.KindObject:
		return v.AppendJSON(b)
	}
	return v.AppendText(b)
}
