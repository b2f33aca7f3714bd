package dataknobs

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// A cursor token is, in base64url: a version byte, the fingerprint of its
// query, the epoch, the place (ID, position, keys), and a CRC-32 of it all.
// The checksum finds damage; it is no protection against a forger, who could
// as well have asked for another offset.
const (
	cursorVersion  = 1
	maxCursorBytes = 64 << 10 // before base64
)

// encodeCursor returns the token that continues q after the place s, whose
// position (if it has one) is of that epoch. A place whose keys are too long
// for a token is ResourceExhausted.
func encodeCursor(q *Query, s *Seek, epoch string) (string, error) {
	print := queryFingerprint(q)
	b := append([]byte{cursorVersion}, print[:]...)
	b = appendText(b, epoch)
	b = appendText(b, s.ID)
	b = binary.AppendUvarint(b, s.Position)
	b, err := AdoptArray(s.Keys).AppendBinary(b)
	if err != nil {
		return "", err
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	if len(b) > maxCursorBytes {
		return "", Errorf(ResourceExhausted, "the values that the records are ordered by are too long for a cursor (%d bytes; the limit is %d)", len(b), maxCursorBytes).
			WithHint("order by something shorter, or page with OFFSET")
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// decodeCursor reads a token that encodeCursor made for the same query. One
// that is damaged or belongs to another query is InvalidArgument.
func decodeCursor(q *Query, token string) (*Seek, string, error) {
	if len(token) > base64.RawURLEncoding.EncodedLen(maxCursorBytes) {
		return nil, "", errCursorDamaged()
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	const sum = 4
	switch {
	case err != nil || len(b) < sum+1:
		return nil, "", errCursorDamaged()
	case crc32.ChecksumIEEE(b[:len(b)-sum]) != binary.LittleEndian.Uint32(b[len(b)-sum:]):
		return nil, "", errCursorDamaged()
	case b[0] != cursorVersion:
		return nil, "", Errorf(InvalidArgument, "the cursor is of another version (%d) of this software", b[0]).WithHint("start again from the first page")
	}
	print := queryFingerprint(q)
	b, ok := bytes.CutPrefix(b[1:len(b)-sum], print[:])
	if !ok {
		return nil, "", Errorf(InvalidArgument, "the cursor belongs to another query").
			WithHint("a cursor continues the very query that it came from; only LIMIT may change")
	}
	d := decoder{b: b, start: len(b)}
	epoch := d.str()
	s := &Seek{ID: d.str(), Position: d.uvarint()}
	keys := d.value(MaxDepth)
	if d.bad || len(d.b) > 0 || keys.kind != KindArray || keys.Len() != seekKeys(q) {
		return nil, "", errCursorDamaged()
	}
	if keys.num > 0 {
		s.Keys = keys.rawArray()
	}
	return s, epoch, nil
}

// seekKeys returns how many keys a place in q's order has: IDs are unique, so
// nothing after an _id is one.
func seekKeys(q *Query) int {
	if i := slices.IndexFunc(q.OrderBy, func(o Order) bool { return o.Path.IsID() }); i >= 0 {
		return i + 1
	}
	return len(q.OrderBy)
}

func errCursorDamaged() error {
	return Errorf(InvalidArgument, "the cursor is damaged").WithHint("pass it on exactly as it was handed out")
}

// queryFingerprint returns a hash of all of q but its limit, offset and cursor.
func queryFingerprint(q *Query) [8]byte {
	b := binary.AppendUvarint(nil, uint64(len(q.Select)))
	for _, c := range q.Select {
		b = appendText(append(appendPath(b, c.Path), byte(c.Agg)), c.As)
	}
	b = appendExpr(b, Simplify(q.Where))
	b = binary.AppendUvarint(b, uint64(len(q.GroupBy)))
	for _, p := range q.GroupBy {
		b = appendPath(b, p)
	}
	b = appendExpr(b, Simplify(q.Having))
	for _, o := range q.OrderBy {
		b = append(appendPath(b, o.Path), byte(o.Agg), byte(o.Nulls))
		b = Bool(o.Desc).appendBinary(b)
	}
	sum := sha256.Sum256(b)
	return [8]byte(sum[:8])
}

func appendPath(b []byte, p Path) []byte {
	b = binary.AppendUvarint(b, uint64(len(p)))
	for _, s := range p {
		b = binary.AppendVarint(appendText(b, s.Name), int64(s.Index))
	}
	return b
}

// appendExpr appends the simplified expression e in a form that no other has.
func appendExpr(b []byte, e Expr) []byte {
	join := func(tag byte, parts []Expr) []byte {
		b := binary.AppendUvarint(append(b, tag), uint64(len(parts)))
		for _, p := range parts {
			b = appendExpr(b, p)
		}
		return b
	}
	switch e := e.(type) {
	case *Cond:
		b = append(appendPath(append(b, 'c'), e.Path), byte(e.Op), byte(e.Agg))
		return AdoptArray(e.Args).appendBinary(b)
	case And:
		return join('a', e)
	case Or:
		return join('o', e)
	}
	return append(b, 'n')
}
