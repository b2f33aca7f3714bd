package file

import (
	"encoding/binary"
	"errors"

	"dataknobs.dev/dataknobs"
)

// An op is one change in the journal.
type op struct {
	id  string
	rec *dataknobs.Record // nil: removed
	ref int64             // the record's row in the base, when it was first changed; -1: none
	rep uint32

	text []byte // rec encoded; nil: not yet
}

// appendOp appends an operation: 1 and a record, or 0 and an ID; before it the
// row in the base and the number of repetitions.
func appendOp(b []byte, o op) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(o.ref+1))
	b = binary.AppendUvarint(b, uint64(o.rep))
	if o.rec == nil {
		b = append(b, 0)
		b = binary.AppendUvarint(b, uint64(len(o.id)))
		return append(b, o.id...), nil
	}
	b = append(b, 1)
	if o.text != nil {
		return append(b, o.text...), nil
	}
	return o.rec.AppendBinary(b)
}

var errDecode = errors.New("cannot be decoded")

func decodeOp(b []byte) (op, []byte, error) {
	ref, b, ok1 := uvarint(b)
	rep, b, ok2 := uvarint(b)
	if !ok1 || !ok2 || len(b) == 0 {
		return op{}, nil, errDecode
	}
	o := op{ref: int64(ref) - 1, rep: uint32(rep)}
	kind, b := b[0], b[1:]
	switch kind {
	case 0:
		n, rest, ok := uvarint(b)
		if !ok || n > uint64(len(rest)) {
			return op{}, nil, errDecode
		}
		o.id, b = string(rest[:n]), rest[n:]
	case 1:
		var err error
		if o.rec, b, err = dataknobs.DecodeRecord(b); err != nil {
			return op{}, nil, err
		}
		o.id = o.rec.ID
	default:
		return op{}, nil, errDecode
	}
	return o, b, nil
}

func uvarint(b []byte) (uint64, []byte, bool) {
	u, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return u, b[n:], true
}
