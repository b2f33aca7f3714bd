package dataknobs

import (
	"strconv"
	"strings"
)

// queryVersion is the version of the JSON shape of queries.
const queryVersion = 1

// MarshalJSON returns q as JSON, in the shape that docs/query.schema.json
// publishes: {"v":1,"where":{"path":"age","op":">","value":30},"limit":10}.
// Constants are tagged JSON (see [Value.AppendTaggedJSON]). A query that
// cannot be run is an error.
func (q Query) MarshalJSON() ([]byte, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	b := append([]byte(`{"v":`), strconv.Itoa(queryVersion)...)
	if len(q.Select) > 0 {
		b = appendJSONList(append(b, `,"select":`...), q.Select, appendColumnJSON)
	}
	if q.Where != nil {
		b = appendExprJSON(append(b, `,"where":`...), q.Where)
	}
	if len(q.GroupBy) > 0 {
		b = appendJSONList(append(b, `,"group_by":`...), q.GroupBy, appendPathJSON)
	}
	if q.Having != nil {
		b = appendExprJSON(append(b, `,"having":`...), q.Having)
	}
	if len(q.OrderBy) > 0 {
		b = appendJSONList(append(b, `,"order_by":`...), q.OrderBy, appendOrderJSON)
	}
	if q.Limit != nil {
		b = strconv.AppendInt(append(b, `,"limit":`...), int64(*q.Limit), 10)
	}
	if q.Offset != 0 {
		b = strconv.AppendInt(append(b, `,"offset":`...), int64(q.Offset), 10)
	}
	if q.After != "" {
		b = AppendJSONString(append(b, `,"after":`...), q.After)
	}
	return append(b, '}'), nil
}

func appendJSONList[T any](b []byte, xs []T, item func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, x := range xs {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, x)
	}
	return append(b, ']')
}

func appendPathJSON(b []byte, p Path) []byte { return AppendJSONString(b, p.String()) }

// appendTermJSON appends the members agg and path of an object just opened.
func appendTermJSON(b []byte, p Path, agg Agg) []byte {
	if agg != NoAgg {
		b = AppendJSONString(append(b, `"agg":`...), agg.String())
	}
	if agg != NoAgg && agg != CountAll {
		b = append(b, ',')
	}
	if agg != CountAll {
		b = appendPathJSON(append(b, `"path":`...), p)
	}
	return b
}

func appendColumnJSON(b []byte, c Column) []byte {
	if c.Agg == NoAgg && c.As == "" {
		return appendPathJSON(b, c.Path)
	}
	b = appendTermJSON(append(b, '{'), c.Path, c.Agg)
	if c.As != "" {
		b = AppendJSONString(append(b, `,"as":`...), c.As)
	}
	return append(b, '}')
}

func appendOrderJSON(b []byte, o Order) []byte {
	if o.Agg == NoAgg && !o.Desc && o.Nulls == NullsLast {
		return appendPathJSON(b, o.Path)
	}
	b = appendTermJSON(append(b, '{'), o.Path, o.Agg)
	if o.Desc {
		b = append(b, `,"desc":true`...)
	}
	if o.Nulls == NullsFirst {
		b = append(b, `,"nulls":"first"`...)
	}
	return append(b, '}')
}

func appendExprJSON(b []byte, e Expr) []byte {
	switch e := e.(type) {
	case *Cond:
		return appendCondJSON(b, e)
	case Not:
		return append(appendExprJSON(append(b, `{"not":`...), e.Expr), '}')
	case Or:
		return append(appendJSONList(append(b, `{"or":`...), e, appendExprJSON), '}')
	case And:
		return append(appendJSONList(append(b, `{"and":`...), e, appendExprJSON), '}')
	}
	return append(b, `{"and":[]}`...)
}

func appendCondJSON(b []byte, c *Cond) []byte {
	b = appendTermJSON(append(b, '{'), c.Path, c.Agg)
	b = AppendJSONString(append(b, `,"op":`...), strings.ToLower(c.Op.String()))
	switch least, most := c.Op.arity(); {
	case most == 0:
	case least == 1:
		b = c.Args[0].AppendTaggedJSON(append(b, `,"value":`...))
	default:
		b = appendJSONList(append(b, `,"values":`...), c.Args, func(b []byte, v Value) []byte { return v.AppendTaggedJSON(b) })
	}
	return append(b, '}')
}
