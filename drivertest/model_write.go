package drivertest

import (
	"slices"
	"strconv"

	"dataknobs.dev/dataknobs"
)

// A model is what the contract says that a store holds after the same writes.
type model struct {
	recs []*dataknobs.Record // in the order of their creation; Revision is the model's own. Never changed in place
	last int                 // the last revision
}

// An outcome of one write.
type writeOutcome struct {
	code    dataknobs.Code // 0: applied
	created bool
}

func (o writeOutcome) String() string {
	switch {
	case o.code != 0:
		return o.code.Error()
	case o.created:
		return "created"
	}
	return "done"
}

// notApplied stands for a write of an atomic batch that another one failed.
const notApplied = dataknobs.Code(255)

// expect makes the step on the model. A write under a revision of a record
// that is not there asks for no particular one, no revision being known: the
// step is changed so.
func (m *model) expect(st step) []writeOutcome {
	known := map[string]string{}
	for _, r := range m.recs {
		known[r.ID] = r.Revision
	}
	before := slices.Clone(m.recs)
	var out []writeOutcome
	failed := false
	for i := range st.writes {
		w := &st.writes[i]
		if known[w.ID] == "" && w.Revision == "current" {
			w.Revision = ""
		}
		o := m.expectOne(*w, known[w.ID])
		failed = failed || o.code != 0
		out = append(out, o)
	}
	if st.atomic && failed {
		m.recs = before
		return slices.Repeat([]writeOutcome{{code: notApplied}}, len(out))
	}
	return out
}

func (m *model) expectOne(w dataknobs.Write, known string) writeOutcome {
	i := m.find(w.ID)
	switch {
	case i < 0 && (w.If == dataknobs.IfPresent || w.Revision != ""):
		return writeOutcome{code: dataknobs.NotFound}
	case i >= 0 && w.If == dataknobs.IfAbsent:
		return writeOutcome{code: dataknobs.AlreadyExists}
	case w.Revision == "stale" || w.Revision == "current" && m.recs[i].Revision != known:
		return writeOutcome{code: dataknobs.Conflict}
	case w.Op == dataknobs.WriteDelete:
		m.recs = slices.Delete(slices.Clone(m.recs), i, i+1)
		return writeOutcome{}
	}
	r := w.Record
	if w.Op == dataknobs.WritePatch {
		var err error
		if r, err = dataknobs.ApplyChanges(m.recs[i], w.Changes); err != nil {
			return writeOutcome{code: dataknobs.CodeOf(err)}
		}
	}
	m.put(i, r)
	return writeOutcome{created: i < 0}
}

// find returns the index of a record; -1: there is none.
func (m *model) find(id string) int {
	return slices.IndexFunc(m.recs, func(r *dataknobs.Record) bool { return r.ID == id })
}

// put makes the i-th record what r says, or r the last one where i is -1.
func (m *model) put(i int, r *dataknobs.Record) {
	r = r.Clone()
	m.last++
	r.Revision = strconv.Itoa(m.last)
	if m.recs = slices.Clone(m.recs); i < 0 {
		m.recs = append(m.recs, r)
	} else {
		m.recs[i] = r
	}
}

// A bulk is one write of many records, by a condition or as a stream.
type bulk struct {
	kind    bulkKind
	where   dataknobs.Expr     // of a delete and a patch
	changes []dataknobs.Change // of a patch
	mode    dataknobs.LoadMode // of a load
	recs    []*dataknobs.Record
}

type bulkKind uint8

const (
	bulkDelete bulkKind = iota
	bulkPatch
	bulkLoad
)

// A bulkOutcome says how many records were deleted, patched or loaded, and how
// many a load left alone.
type bulkOutcome struct{ hits, skipped int64 }

// expectBulk makes the write on the model.
func (m *model) expectBulk(b bulk) bulkOutcome {
	switch b.kind {
	case bulkDelete:
		before := len(m.recs)
		m.recs = slices.DeleteFunc(slices.Clone(m.recs), func(r *dataknobs.Record) bool { return matches(b.where, r) })
		return bulkOutcome{hits: int64(before - len(m.recs))}
	case bulkPatch:
		return m.expectPatch(b)
	}
	return m.expectLoad(b)
}

func (m *model) expectPatch(b bulk) (out bulkOutcome) {
	for i, r := range m.recs {
		if !matches(b.where, r) {
			continue
		}
		next, err := dataknobs.ApplyChanges(r, b.changes)
		if err != nil {
			panic("drivertest: changes of top-level fields: " + err.Error())
		}
		m.put(i, next)
		out.hits++
	}
	return out
}

func (m *model) expectLoad(b bulk) (out bulkOutcome) {
	for _, r := range b.recs {
		i := m.find(r.ID)
		if i >= 0 && b.mode == dataknobs.LoadSkip {
			out.skipped++
			continue
		}
		m.put(i, r)
		out.hits++
	}
	return out
}
