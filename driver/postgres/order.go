package postgres

import (
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A nameOrder is the order in which the names of top-level fields appeared:
// jsonb does not keep it. The names stand in the comment on the column fields.
type nameOrder map[string]int

// parseOrder reads a column's comment.
func parseOrder(comment string) nameOrder {
	_, list, ok := strings.Cut(comment, orderMark)
	if !ok {
		return nil
	}
	var v dataknobs.Value
	if err := v.UnmarshalJSON([]byte(list)); err != nil {
		return nil
	}
	o := nameOrder{}
	for x := range v.Elems() {
		if _, there := o[x.Str()]; !there {
			o[x.Str()] = len(o)
		}
	}
	return o
}

// orderMark stands before the names in the comment.
const orderMark = "; in the order of their fields: "

// fieldsComment begins the comment.
const fieldsComment = "the fields of the record as JSON; times are {\"$time\": …}, bytes {\"$bytes\": …} in base64"

// orderComment is the comment on the column for those names.
func orderComment(names []string) string {
	var vs []dataknobs.Value
	for _, n := range names {
		vs = append(vs, dataknobs.String(n))
	}
	return fieldsComment + orderMark + string(dataknobs.AdoptArray(vs).AppendJSON(nil))
}

// names returns the names in their order.
func (o nameOrder) names() []string {
	names := make([]string, len(o))
	for name, i := range o {
		names[i] = name
	}
	return names
}

// A reorder puts the fields of records in order. Records of the same names
// come in the same order from the server, so what was found out for one serves
// the next.
type reorder struct {
	order nameOrder
	names []string // of the last record, as they came
	perm  []int    // where each comes from; nil: they were in order
	room  []dataknobs.Field
}

func (r *reorder) apply(f dataknobs.Fields) {
	if len(r.order) == 0 || len(f) < 2 {
		return
	}
	if !r.same(f) {
		r.plan(f)
	}
	if r.perm == nil {
		return
	}
	r.room = append(r.room[:0], f...)
	for i, from := range r.perm {
		f[i] = r.room[from]
	}
}

func (r *reorder) same(f dataknobs.Fields) bool {
	if len(f) != len(r.names) {
		return false
	}
	for i := range f {
		if f[i].Name != r.names[i] {
			return false
		}
	}
	return true
}

// plan sorts by the known place of each name; unknown names stay last.
func (r *reorder) plan(f dataknobs.Fields) {
	r.names = r.names[:0]
	perm := make([]int, len(f))
	place := make([]int, len(f))
	sorted := true
	for i := range f {
		r.names = append(r.names, f[i].Name)
		p, ok := r.order[f[i].Name]
		if !ok {
			p = len(r.order) + i
		}
		perm[i], place[i] = i, p
		sorted = sorted && (i == 0 || place[i-1] < p)
	}
	if r.perm = nil; sorted {
		return
	}
	slices.SortStableFunc(perm, func(a, b int) int { return place[a] - place[b] })
	r.perm = perm
}
