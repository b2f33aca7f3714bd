package main

import (
	"bufio"
	"bytes"
	"encoding/base64"

	"dataknobs.dev/dataknobs"
)

// A csvPrinter prints RFC 4180 with LF. Null is an empty cell, an empty text is
// "", so that the two stay apart; arrays and objects are JSON.
type csvPrinter struct {
	w      *bufio.Writer
	s      shape
	buf    []byte
	vs     []dataknobs.Value
	headed bool
}

func newCSVPrinter(w *bufio.Writer, s shape) *csvPrinter { return &csvPrinter{w: w, s: s} }

func (p *csvPrinter) head() {
	p.headed = true
	for i, name := range p.s.head() {
		if i > 0 {
			p.buf = append(p.buf, ',')
		}
		p.buf = quoteCell(append(p.buf, name...), len(p.buf))
	}
	p.buf = append(p.buf, '\n')
}

func (p *csvPrinter) print(rec *dataknobs.Record) error {
	p.buf = p.buf[:0]
	if !p.headed {
		p.head()
	}
	p.vs = p.s.row(p.vs[:0], rec)
	for i, v := range p.vs {
		if i > 0 {
			p.buf = append(p.buf, ',')
		}
		p.buf = appendCell(p.buf, v)
	}
	p.buf = append(p.buf, '\n')
	_, err := p.w.Write(p.buf)
	return err
}

func (p *csvPrinter) close(failure error) error {
	if p.headed || failure != nil {
		return nil
	}
	p.buf = p.buf[:0]
	p.head()
	_, err := p.w.Write(p.buf)
	return err
}

func appendCell(b []byte, v dataknobs.Value) []byte {
	start := len(b)
	switch v.Kind() {
	case dataknobs.KindNull:
		return b
	case dataknobs.KindString:
		if v.Len() == 0 {
			return append(b, `""`...)
		}
		b = append(b, v.Str()...)
	case dataknobs.KindTime:
		return dataknobs.AppendTime(b, v.Time())
	case dataknobs.KindBytes:
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	case dataknobs.KindArray, dataknobs.KindObject:
		b = v.AppendJSON(b)
	default:
		return v.AppendText(b)
	}
	return quoteCell(b, start)
}

// quoteCell puts b[start:] in quotes where a reader would need them.
func quoteCell(b []byte, start int) []byte {
	cell := b[start:]
	if len(cell) > 0 && !bytes.ContainsAny(cell, ",\"\r\n") && cell[0] != ' ' && cell[len(cell)-1] != ' ' {
		return b
	}
	text := string(cell)
	b = append(b[:start], '"')
	for i := range len(text) {
		if text[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, text[i])
	}
	return append(b, '"')
}
