package sqlgen

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"dataknobs.dev/dataknobs"
)

// A sortKey is one key of an order, in SQL: what values sort by in turn, all of
// them NULL or none for a value that is null.
type sortKey struct {
	dataknobs.Order
	parts []string
	// values returns the parts of a value in an earlier record.
	values func(v dataknobs.Value) []any
	casts  []string
	odd    string // the condition that SQL does not say the value's place; "": it always does
	isOdd  func(dataknobs.Value) bool
	// misplaced is the condition that SQL puts the value where it does not belong,
	// so that no place is sure while there is such a value; "": none.
	misplaced string
	never     bool // never null
	index     bool // an index has the parts in this order
}

// Sort says whether the database can yield in that order, ties by _id. Where
// it says Exact, Select may add an OutInexact column.
func (t *Table) Sort(os []dataknobs.Order) dataknobs.Support {
	b := &builder{t: t}
	if _, _, why := b.sortKeys(os); why != "" {
		return none(why)
	}
	return dataknobs.Support{Fidelity: dataknobs.Exact}
}

// sortKeys returns the keys of an order and the ID that breaks ties, as an
// expression in byte order.
func (b *builder) sortKeys(os []dataknobs.Order) (keys []sortKey, id, why string) {
	id, why = b.idText()
	if why != "" {
		return nil, "", why
	}
	id = b.idOrder(id)
	for _, o := range os {
		if o.Agg != dataknobs.NoAgg {
			return nil, "", "it is about an aggregate"
		}
		if o.Path.IsID() {
			keys = append(keys, b.textKey(o, id))
			return keys, id, "" // IDs are unique, so nothing after one matters
		}
		k, why := b.sortKey(o)
		if why != "" {
			return nil, "", why
		}
		if k != nil {
			keys = append(keys, *k)
		}
	}
	return keys, id, ""
}

// idOrder is the ID in byte order. The column of the document layout is so by
// itself, and its index serves.
func (b *builder) idOrder(id string) string {
	if b.t.ID != "" {
		return id
	}
	if len(b.t.Key) == 1 {
		if c := &b.t.Columns[b.t.Key[0]]; c.Type == Text && c.ByteOrder {
			return id
		}
	}
	return b.byteOrder(id)
}

func (b *builder) textKey(o dataknobs.Order, x string) sortKey {
	return sortKey{Order: o, parts: []string{x}, casts: []string{"text"}, never: true, index: true,
		values: func(v dataknobs.Value) []any { return []any{v.Str()} }}
}

// sortKey returns one key; nil for one that is always null.
func (b *builder) sortKey(o dataknobs.Order) (*sortKey, string) {
	s, why := b.subject(o.Path)
	if why != "" {
		return nil, why
	}
	k := &sortKey{Order: o, index: b.t.isIndexed(o.Path)}
	switch s := s.(type) {
	case nullSubject:
		return nil, ""
	case *pgIndexed:
		k.parts = []string{s.rank(), s.number(), s.start()}
		k.odd = "(" + k.parts[0] + " >= " + strconv.Itoa(rankComplex) + " OR " + k.parts[0] + " = 4 AND length(" + s.sortText() + ") >= " + strconv.Itoa(maxPrefix) + ")"
		k.casts = []string{"int4", "numeric", "text"}
		k.isOdd = func(v dataknobs.Value) bool { return isComplex(v) || utf8.RuneCountInString(v.Str()) >= maxPrefix }
		k.values = func(v dataknobs.Value) []any {
			vs := pgSortValues(v)
			if text, ok := vs[2].(string); ok {
				vs[2] = cut(text)
			}
			return vs
		}
	case *pgJSON:
		if !s.tagged {
			return nil, whyPlain
		}
		k.parts = []string{s.rank(), s.number(), s.b.byteOrder(s.sortText())}
		k.odd = k.parts[0] + " >= " + strconv.Itoa(rankComplex)
		k.casts = []string{"int4", "numeric", "text"}
		k.values, k.isOdd = pgSortValues, isComplex
	case *liteIndexed:
		k.lite(s.liteJSON)
	case *liteJSON:
		if !s.tagged {
			return nil, whyPlain
		}
		k.lite(s)
		k.complex(s)
	case *pgColumn:
		return k, k.pgColumn(s)
	case *liteColumn:
		return k, k.liteColumn(s)
	default:
		return nil, "the database does not say the order"
	}
	return k, ""
}

func isComplex(v dataknobs.Value) bool { return rankOf(v) >= rankComplex }

// pgSortValues returns rank, number and text of a value.
func pgSortValues(v dataknobs.Value) []any {
	switch classOf(v) {
	case classNumber:
		return []any{int64(rankNumber), digits(v), nil}
	case classNone, classBytes:
		return []any{int64(rankOf(v)), nil, nil}
	}
	rank, text := simpleText(v)
	return []any{int64(rank), nil, text}
}

func (k *sortKey) lite(s *liteJSON) {
	k.parts = []string{s.rank(), s.sortValue()}
	k.odd = k.parts[0] + " >= " + strconv.Itoa(rankComplex)
	k.isOdd = isComplex
	k.values = func(v dataknobs.Value) []any {
		if rankOf(v) >= rankComplex {
			return []any{int64(rankOf(v)), nil}
		}
		return []any{int64(rankOf(v)), sortArg(v)}
	}
}

// complex has dk_key sort what SQL does not.
func (k *sortKey) complex(s *liteJSON) {
	k.odd, k.isOdd = "", nil
	k.parts = append(k.parts, "(CASE WHEN "+k.parts[0]+" >= "+strconv.Itoa(rankComplex)+" THEN dk_key("+s.raw()+") END)")
	simple := k.values
	k.values = func(v dataknobs.Value) []any {
		if rankOf(v) >= rankComplex {
			return append(simple(v), Key(v))
		}
		return append(simple(v), nil)
	}
}

// sortArg is a value as sortValue has it.
func sortArg(v dataknobs.Value) any {
	b := &builder{t: &Table{Dialect: SQLite}}
	b.sortParam(v)
	return b.args[0]
}

// pgColumn sorts by a column, which sorts as its kind does but for text.
func (k *sortKey) pgColumn(s *pgColumn) string {
	x := s.x
	switch s.col.Type {
	case Text, Enum, Other:
		x = s.textOf()
	}
	k.parts = []string{x}
	k.odd, k.misplaced = s.odd(), s.misplaced()
	k.index = k.index && k.misplaced == ""
	k.never = s.col.NotNull
	k.isOdd = func(v dataknobs.Value) bool {
		if classOf(v) != s.col.class() {
			return true
		}
		typed := pgColumn{b: &builder{t: s.b.t}, col: s.col}
		_, ok := typed.param(v)
		return !ok
	}
	typed := *s
	typed.b = &builder{t: s.b.t}
	k.values = func(v dataknobs.Value) []any {
		if classOf(v) != s.col.class() {
			return []any{nil}
		}
		typed.b.args = nil
		if _, ok := typed.param(v); !ok {
			return []any{nil}
		}
		return []any{typed.b.args[0]}
	}
	k.casts = []string{typed.castOf()}
	return ""
}

// castOf is the type of the column's parameters.
func (s *pgColumn) castOf() string {
	switch s.col.Type {
	case Bool:
		return "bool"
	case Int:
		return "int8"
	case Float:
		return "float8"
	case Numeric:
		return "numeric"
	case UUID:
		return "uuid"
	case Date:
		return "date"
	case Timestamp:
		return "timestamp"
	case TimestampTZ:
		return "timestamptz"
	case Bytes:
		return "bytea"
	}
	return "text"
}

// liteColumn sorts by a column. SQLite's order of types is the contract's
// (numbers, texts, bytes) but for bools and times.
func (k *sortKey) liteColumn(s *liteColumn) string {
	switch {
	case s.isTime() && !s.col.Checked:
		return whyLiteTime
	case s.col.Type == Bool && !s.col.Checked:
		k.odd = s.x + " NOT IN (0, 1)"
		k.isOdd = func(v dataknobs.Value) bool { return v.Kind() != dataknobs.KindBool }
	}
	k.parts = []string{s.texts()}
	k.never = s.col.NotNull
	k.values = func(v dataknobs.Value) []any {
		switch v.Kind() {
		case dataknobs.KindBytes:
			return []any{v.Bytes()}
		case dataknobs.KindTime:
			return []any{s.timeTextOf(v)}
		case dataknobs.KindArray, dataknobs.KindObject, dataknobs.KindNull:
			return []any{nil}
		}
		return []any{sortArg(v)}
	}
	return ""
}

func (k *sortKey) nullsFirst() bool { return k.Nulls == dataknobs.NullsFirst }

// orderBy returns the terms of ORDER BY for all records, nulls where they belong.
func (k *sortKey) orderBy() []string {
	terms := k.terms()
	if !k.never {
		place := " NULLS LAST"
		if k.nullsFirst() {
			place = " NULLS FIRST"
		}
		terms[0] += place
	}
	return terms
}

// terms returns the terms for records in which the key is not null, in a form
// that an index read forwards or backwards serves.
func (k *sortKey) terms() []string {
	terms := make([]string, len(k.parts))
	for i, p := range k.parts {
		terms[i] = p
		if k.Desc {
			terms[i] += " DESC"
		}
	}
	return terms
}

// after is the condition of coming after a value in this key; of null, if it
// is null. "": nothing does.
func (b *builder) after(k *sortKey, v dataknobs.Value) string {
	isNull := k.parts[0] + " IS NULL"
	switch {
	case v.IsNull() && k.nullsFirst():
		return k.parts[0] + " IS NOT NULL"
	case v.IsNull():
		return ""
	}
	vs := k.values(v)
	op := " > "
	if k.Desc {
		op = " < "
	}
	var alternatives []string
	for i := range k.parts {
		if vs[i] == nil {
			continue
		}
		alternatives = append(alternatives, and(append(b.same(k, vs, i), k.parts[i]+op+b.arg(vs[i], k.cast(i)))...))
	}
	if !k.never && !k.nullsFirst() {
		alternatives = append(alternatives, isNull)
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}

func (k *sortKey) cast(i int) string {
	if k.casts == nil {
		return ""
	}
	return k.casts[i]
}

// same is the condition that the first n parts are those.
func (b *builder) same(k *sortKey, vs []any, n int) []string {
	var conds []string
	for i := range n {
		if vs[i] == nil {
			conds = append(conds, k.parts[i]+" IS NULL")
			continue
		}
		conds = append(conds, k.parts[i]+" = "+b.arg(vs[i], k.cast(i)))
	}
	return conds
}

// equals is the condition of having the value in this key.
func (b *builder) equals(k *sortKey, v dataknobs.Value) string {
	if v.IsNull() {
		return k.parts[0] + " IS NULL"
	}
	return and(b.same(k, k.values(v), len(k.parts))...)
}
