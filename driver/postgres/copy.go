package postgres

import (
	"encoding/binary"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// A copyEncoder writes records as COPY reads them.
type copyEncoder struct {
	s   *state
	rev int64 // a last column; 0: none
}

// row appends one record.
func (e *copyEncoder) row(b []byte, rec *dataknobs.Record) ([]byte, error) {
	if !e.s.isDocument() {
		return e.line(b, rec)
	}
	n := len(e.s.sql.targets)
	if e.rev != 0 {
		n++
	}
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	for i := range e.s.sql.targets {
		at := len(b)
		b = append(b, 0, 0, 0, 0)
		var err error
		switch e.s.sql.targets[i].is {
		case theID:
			b = append(b, rec.ID...)
		case theExtra:
			b = append(b, 1)
			b, err = sqlgen.AppendFields(b, rec.Fields)
		case theMeta:
			if len(rec.Metadata) == 0 {
				binary.BigEndian.PutUint32(b[at:], 0xffffffff)
				continue
			}
			b = append(b, 1)
			b, err = sqlgen.AppendFields(b, rec.Metadata)
		}
		if err != nil {
			return b, err
		}
		binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	}
	if e.rev != 0 {
		b = appendRev(b, e.rev)
	}
	return b, nil
}

// line appends one record as a line of COPY's text format, which every type
// has.
func (e *copyEncoder) line(b []byte, rec *dataknobs.Record) ([]byte, error) {
	r, err := e.s.encode(rec, rec.ID)
	if err != nil {
		return b, err
	}
	for i, v := range r.values {
		if i > 0 {
			b = append(b, '\t')
		}
		if v == nil {
			b = append(b, `\N`...)
			continue
		}
		b = appendCopyText(b, v)
	}
	return append(b, '\n'), nil
}

// appendCopyText appends a value with what COPY takes for signs escaped.
func appendCopyText(b, v []byte) []byte {
	start := 0
	for i, c := range v {
		var as byte
		switch c {
		case '\\':
			as = '\\'
		case '\t':
			as = 't'
		case '\n':
			as = 'n'
		case '\r':
			as = 'r'
		default:
			continue
		}
		b = append(b, v[start:i]...)
		b = append(b, '\\', as)
		start = i + 1
	}
	return append(b, v[start:]...)
}
