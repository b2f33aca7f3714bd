package dataknobs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs/internal/nearest"
)

// UnmarshalJSON reads what MarshalJSON writes. It is strict: an unknown
// member, a name that is there twice, and a query that cannot be run are
// InvalidArgument errors that name the place.
func (q *Query) UnmarshalJSON(b []byte) error {
	v, err := parseJSON(b, 8*MaxNesting)
	if err != nil {
		return err
	}
	read, err := queryOfJSON(v)
	if err != nil {
		return err
	}
	if err := read.Check(); err != nil {
		return err
	}
	*q = *read
	return nil
}

// A jsonPart is a part of a query as JSON, and its place for messages.
type jsonPart struct {
	Value
	at string
}

func (n jsonPart) fail(format string, args ...any) error {
	return Errorf(InvalidArgument, "%s: %s", n.at, fmt.Sprintf(format, args...))
}

// member returns the member of that name; null if there is none.
func (n jsonPart) member(name string) (jsonPart, bool) {
	v, ok := n.rawObject().Get(name)
	return jsonPart{v, n.at + "." + name}, ok
}

// object returns an error unless n is an object with no other members.
func (n jsonPart) object(names ...string) error {
	if n.kind != KindObject {
		return n.fail("expected an object, but found %s", article(n.kind))
	}
	for name := range n.rawObject().Names() {
		if slices.Contains(names, name) {
			continue
		}
		e := Errorf(InvalidArgument, "%s: there is no member %q", n.at, shorten(name))
		if near := nearest.Of(name, names); near != "" {
			return e.WithHint("did you mean %q?", near)
		}
		return e.WithHint("the members are %s", strings.Join(names, ", "))
	}
	return nil
}

func article(k Kind) string {
	switch k {
	case KindNull:
		return "null"
	case KindInt, KindArray, KindObject:
		return "an " + k.String()
	}
	return "a " + k.String()
}

func (n jsonPart) text() (string, error) {
	if n.kind != KindString {
		return "", n.fail("expected a string, but found %s", article(n.kind))
	}
	return n.Str(), nil
}

func (n jsonPart) path() (Path, error) {
	text, err := n.text()
	if err != nil {
		return nil, err
	}
	p, err := ParsePath(text)
	if err != nil {
		return nil, n.fail("%s", err)
	}
	return p, nil
}

// count reads a number of records.
func (n jsonPart) count() (int, error) {
	i := n.Int()
	if n.kind != KindInt || i < 0 || i != int64(int(i)) {
		return 0, n.fail("expected a whole number, 0 or more, but found %s", shorten(n.String()))
	}
	return int(i), nil
}

// each reads the items of an array by item.
func each[T any](n jsonPart, item func(jsonPart) (T, error)) ([]T, error) {
	if n.kind != KindArray {
		return nil, n.fail("expected an array, but found %s", article(n.kind))
	}
	out := make([]T, 0, n.Len())
	for i, v := range n.rawArray() {
		x, err := item(jsonPart{v, n.at + "[" + strconv.Itoa(i) + "]"})
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func queryOfJSON(v Value) (*Query, error) {
	n := jsonPart{v, "query"}
	if err := n.object("v", "select", "where", "group_by", "having", "order_by", "limit", "offset", "after"); err != nil {
		return nil, err
	}
	if version, ok := n.member("v"); !ok || version.kind != KindInt || version.Int() != queryVersion {
		return nil, n.fail(`the member "v" must be %d, the version of this shape`, queryVersion)
	}
	q := &Query{}
	for _, m := range []struct {
		name string
		read func(jsonPart) error
	}{
		{"select", func(n jsonPart) (err error) { q.Select, err = each(n, jsonPart.column); return err }},
		{"where", func(n jsonPart) (err error) { q.Where, err = n.expr(0); return err }},
		{"group_by", func(n jsonPart) (err error) { q.GroupBy, err = each(n, jsonPart.path); return err }},
		{"having", func(n jsonPart) (err error) { q.Having, err = n.expr(0); return err }},
		{"order_by", func(n jsonPart) (err error) { q.OrderBy, err = each(n, jsonPart.order); return err }},
		{"limit", func(n jsonPart) error { limit, err := n.count(); q.Limit = &limit; return err }},
		{"offset", func(n jsonPart) (err error) { q.Offset, err = n.count(); return err }},
		{"after", func(n jsonPart) (err error) { q.After, err = n.text(); return err }},
	} {
		if part, ok := n.member(m.name); ok {
			if err := m.read(part); err != nil {
				return nil, err
			}
		}
	}
	return q, nil
}

// term reads the members agg and path.
func (n jsonPart) term() (p Path, agg Agg, err error) {
	path, hasPath := n.member("path")
	if hasPath {
		if p, err = path.path(); err != nil {
			return nil, 0, err
		}
	}
	name, ok := n.member("agg")
	if !ok {
		if !hasPath {
			return nil, 0, n.fail(`the member "path" is missing`)
		}
		return p, NoAgg, nil
	}
	for i, f := range aggregates {
		if name.Str() == f {
			agg = Count + Agg(i)
		}
	}
	switch {
	case agg == NoAgg:
		return nil, 0, name.fail("expected one of %s", list(aggregates))
	case agg == Count && !hasPath:
		return nil, CountAll, nil
	case !hasPath:
		return nil, 0, n.fail(`%s needs the member "path"`, agg)
	}
	return p, agg, nil
}

// column reads an item of select: the text of a path, or an object.
func (n jsonPart) column() (c Column, err error) {
	if n.kind == KindString {
		c.Path, err = n.path()
		return c, err
	}
	if err := n.object("path", "agg", "as"); err != nil {
		return c, err
	}
	if c.Path, c.Agg, err = n.term(); err != nil {
		return c, err
	}
	if as, ok := n.member("as"); ok {
		if c.As, err = as.text(); err == nil && c.As == "" {
			err = as.fail("the name is empty")
		}
	}
	return c, err
}

// order reads an item of order_by: the text of a path, or an object.
func (n jsonPart) order() (o Order, err error) {
	if n.kind == KindString {
		o.Path, err = n.path()
		return o, err
	}
	if err := n.object("path", "agg", "desc", "nulls"); err != nil {
		return o, err
	}
	if o.Path, o.Agg, err = n.term(); err != nil {
		return o, err
	}
	if desc, ok := n.member("desc"); ok {
		if desc.kind != KindBool {
			return o, desc.fail("expected true or false")
		}
		o.Desc = desc.Bool()
	}
	if nulls, ok := n.member("nulls"); ok {
		switch nulls.Str() {
		case "first":
			o.Nulls = NullsFirst
		case "last":
		default:
			return o, nulls.fail(`expected "first" or "last"`)
		}
	}
	return o, nil
}

// expr reads a condition: {"and": […]}, {"or": […]}, {"not": …} or a comparison.
func (n jsonPart) expr(depth int) (Expr, error) {
	if depth > 3*MaxNesting {
		return nil, Errorf(InvalidArgument, "the condition nests deeper than %d levels", MaxNesting)
	}
	part := func(n jsonPart) (Expr, error) { return n.expr(depth + 1) }
	for _, join := range []string{"and", "or", "not"} {
		if n.kind != KindObject || n.Len() != 1 || n.rawObject()[0].Name != join {
			continue
		}
		m, _ := n.member(join)
		if join == "not" {
			e, err := part(m)
			return Not{e}, err
		}
		es, err := each(m, part)
		if join == "or" {
			return Or(es), err
		}
		return And(es), err
	}
	return n.cond()
}

func (n jsonPart) cond() (Expr, error) {
	if err := n.object("path", "agg", "op", "value", "values", "and", "or", "not"); err != nil {
		return nil, err
	}
	for _, join := range []string{"and", "or", "not"} {
		if _, ok := n.member(join); ok {
			return nil, n.fail("the member %q stands alone in its object", join)
		}
	}
	c := &Cond{}
	var err error
	if c.Path, c.Agg, err = n.term(); err != nil {
		return nil, err
	}
	if c.Op, err = n.op(); err != nil {
		return nil, err
	}
	c.Args, err = n.args(c.Op)
	return c, err
}

// op reads the member op: an operator of the query language in small letters.
func (n jsonPart) op() (Op, error) {
	name, ok := n.member("op")
	if !ok {
		return 0, n.fail(`the member "op" is missing`)
	}
	var names []string
	for op := Eq; op <= lastOp; op++ {
		s := strings.ToLower(op.String())
		if s == name.Str() {
			return op, nil
		}
		names = append(names, s)
	}
	e := Errorf(InvalidArgument, "%s: there is no operator %s", name.at, shorten(name.String()))
	if near := nearest.Of(name.Str(), names); near != "" {
		return 0, e.WithHint("did you mean %q?", near)
	}
	return 0, e.WithHint("the operators are %s", list(names))
}

// args reads the constants that op takes: value, or values, or none.
func (n jsonPart) args(op Op) ([]Value, error) {
	least, most := op.arity()
	value, hasValue := n.member("value")
	values, hasValues := n.member("values")
	switch {
	case hasValue != (least == 1) || hasValues != (most < 0 || most == 2):
		return nil, n.fail("%q takes %s", strings.ToLower(op.String()), takes(op))
	case hasValue:
		v, err := value.constant()
		return []Value{v}, err
	case hasValues:
		return each(values, jsonPart.constant)
	}
	return nil, nil
}

// takes says which members hold the constants of op.
func takes(op Op) string {
	switch _, most := op.arity(); most {
	case 0:
		return `neither "value" nor "values"`
	case 1:
		return `a "value"`
	case 2:
		return `"values", an array of two`
	}
	return `"values", an array`
}

func (n jsonPart) constant() (Value, error) {
	v, err := untag(n.Value, 0)
	if err != nil {
		return v, n.fail("%s", err)
	}
	return v, nil
}
