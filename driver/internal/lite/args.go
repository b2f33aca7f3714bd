package lite

import "math"

// Args are parameters that are kept until they are bound: they can be gathered
// without the connection. The zero value is empty.
type Args struct {
	list []arg
	text []byte // of the texts and blobs
}

type arg struct {
	kind Kind
	x    uint64 // the number, or where the text begins
	n    int    // how long it is
}

// Reset empties a, keeping its memory unless it is large.
func (a *Args) Reset() {
	a.list, a.text = a.list[:0], a.text[:0]
	if cap(a.text) > 1<<20 {
		a.text = nil
	}
}

// Len is how many parameters there are.
func (a *Args) Len() int { return len(a.list) }

// Size is how many bytes the texts and blobs have.
func (a *Args) Size() int { return len(a.text) }

// Add adds what [Stmt.Bind] takes.
func (a *Args) Add(v any) error {
	switch v := v.(type) {
	case nil:
		a.list = append(a.list, arg{kind: Null})
	case bool:
		var x int64
		if v {
			x = 1
		}
		a.Int(x)
	case int:
		a.Int(int64(v))
	case int64:
		a.Int(v)
	case float64:
		a.list = append(a.list, arg{kind: Real, x: math.Float64bits(v)})
	case string:
		a.Text(v)
	case []byte:
		from := len(a.text)
		a.text = append(a.text, v...)
		a.ended(Blob, from)
	default:
		return errType
	}
	return nil
}

// Int adds an integer.
func (a *Args) Int(x int64) { a.list = append(a.list, arg{kind: Integer, x: uint64(x)}) }

// Text adds a text.
func (a *Args) Text(s string) {
	from := len(a.text)
	a.text = append(a.text, s...)
	a.ended(Text, from)
}

// Written adds as a text what write appends to the bytes that it is given.
func (a *Args) Written(write func([]byte) ([]byte, error)) error {
	from := len(a.text)
	b, err := write(a.text)
	if err != nil {
		return err
	}
	a.text = b
	a.ended(Text, from)
	return nil
}

func (a *Args) ended(k Kind, from int) {
	a.list = append(a.list, arg{k, uint64(from), len(a.text) - from})
}

// BindArgs sets the parameters from the first to those of a.
func (s *Stmt) BindArgs(a *Args) error {
	for i, v := range a.list {
		if err := s.bindArg(i+1, v, a.text); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stmt) bindArg(i int, v arg, text []byte) error {
	switch v.kind {
	case Integer:
		return s.BindInt(i, int64(v.x))
	case Real:
		return s.BindFloat(i, math.Float64frombits(v.x))
	case Text:
		return s.BindRaw(i, text[v.x:int(v.x)+v.n])
	case Blob:
		return s.BindBlob(i, text[v.x:int(v.x)+v.n])
	}
	return s.BindNull(i)
}
