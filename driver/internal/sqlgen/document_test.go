package sqlgen_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// documentTable describes a table of the document layout.
func documentTable(d sqlgen.Dialect, name string, indexed ...dataknobs.Path) *sqlgen.Table {
	return &sqlgen.Table{Dialect: d, Name: name, ID: "id", Extra: "fields", Meta: "meta",
		Rev: sqlgen.Rev{Kind: sqlgen.RevDocument, Column: "rev"}, Indexed: indexed}
}

func create(t testing.TB, s store, table *sqlgen.Table) {
	t.Helper()
	sqls, err := table.Create()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // each does nothing the second time
		for _, sql := range sqls {
			s.exec(t, sql)
		}
	}
}

// fill writes records into a table of the document layout.
func fill(t testing.TB, s store, table *sqlgen.Table, recs []*dataknobs.Record) {
	t.Helper()
	name, _ := table.QualifiedName()
	sql := "INSERT INTO " + name + " (id, fields, meta) VALUES ($1, $2::jsonb, $3::jsonb)"
	if s.dialect() == sqlgen.SQLite {
		sql = "INSERT INTO " + name + " (id, fields, meta) VALUES (?, ?, ?)"
	}
	s.exec(t, "BEGIN")
	for _, r := range recs {
		f, err := sqlgen.AppendFields(nil, r.Fields)
		if err != nil {
			t.Fatal(err)
		}
		m, _ := sqlgen.AppendFields(nil, r.Metadata)
		s.exec(t, sql, r.ID, string(f), string(m))
	}
	s.exec(t, "COMMIT")
}

// randomRecords draws records whose fields meet often.
func randomRecords(seed, n int) []*dataknobs.Record {
	gen := value(2)
	var recs []*dataknobs.Record
	for i := range n {
		r := dataknobs.NewRecord(fmt.Sprintf("%c%03d", "abZé😀_"[i%5], i))
		if i%10 != 0 {
			r.Set("x", gen.Example(seed*100000+i))
		}
		for j, name := range names {
			if (i+j)%4 == 0 && name != "x" {
				r.Set(name, gen.Example(seed*100000+i*100+j+50000))
			}
		}
		if i%3 == 0 {
			r.Metadata.Set("x", gen.Example(seed*100000+i+77777))
		}
		recs = append(recs, r)
	}
	return recs
}

// chance draws conditions whose constants come from the records.
type chance struct {
	*rand.Rand
	recs []*dataknobs.Record
}

func (c *chance) path() dataknobs.Path {
	switch c.IntN(14) {
	case 0:
		return dataknobs.PathID
	case 1:
		return dataknobs.Names("_meta", "x")
	case 2:
		return dataknobs.Names("x").At(c.IntN(3))
	case 3:
		return dataknobs.Names(names[c.IntN(len(names))], names[c.IntN(len(names))])
	case 4:
		return dataknobs.Names("x").At(0).Child(names[c.IntN(len(names))])
	case 5, 6, 7:
		return dataknobs.Names(names[c.IntN(len(names))])
	}
	return dataknobs.Names("x")
}

// constant draws a constant to compare with what is at p.
func (c *chance) constant(p dataknobs.Path) dataknobs.Value {
	for range 20 {
		v := c.recs[c.IntN(len(c.recs))].Lookup(p)
		switch c.IntN(5) {
		case 0:
			v = value(1).Example(c.Int() >> 1)
		case 1:
			if v.Kind() == dataknobs.KindArray && v.Len() > 0 {
				v = v.Index(c.IntN(v.Len()))
			}
		case 2:
			if i, ok := int64(v.Float()), v.IsNumber(); ok {
				v = dataknobs.Int(i)
				if c.IntN(2) == 0 {
					v = dataknobs.Float(float64(i))
				}
			}
		}
		if !v.IsNull() {
			return v
		}
	}
	return dataknobs.Int(1)
}

// pattern draws a pattern for an operator on strings.
func (c *chance) pattern(op dataknobs.Op, p dataknobs.Path) string {
	s := c.constant(p).Str()
	if s == "" || c.IntN(3) == 0 {
		s = text().Example(c.Int() >> 1)
	}
	runes := []rune(s)
	switch op {
	case dataknobs.StartsWith, dataknobs.NotStartsWith:
		return string(runes[:c.IntN(len(runes)+1)])
	case dataknobs.Matches, dataknobs.NotMatches:
		part := string(runes[:c.IntN(len(runes)+1)])
		quoted := strings.NewReplacer(`\`, `\\`, "(", `\(`, "[", `\[`, "{", `\{`, "*", `\*`, "?", `\?`, ".", `\.`, "$", `\$`, "^", `\^`, "|", `\|`, "+", `\+`).Replace(part)
		return []string{quoted, "^" + quoted, quoted + "$", "^" + quoted + "$", "(?i)" + quoted, quoted + ".*b", "^" + quoted + "[a-z]", "^(" + quoted + ")+$", "(?m)^" + quoted + "$", "", "."}[c.IntN(11)]
	}
	var b strings.Builder
	for _, r := range runes {
		switch c.IntN(6) {
		case 0:
			b.WriteByte('%')
		case 1:
			b.WriteByte('_')
		default:
			if r == '%' || r == '_' || r == '\\' || c.IntN(8) == 0 {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	return []string{b.String(), b.String() + "%", "%" + b.String(), "%" + b.String() + "%"}[c.IntN(4)]
}

// cond draws a condition.
func (c *chance) cond() *dataknobs.Cond {
	return c.condOn(c.path())
}

func (c *chance) condOn(p dataknobs.Path) *dataknobs.Cond {
	cond := &dataknobs.Cond{Path: p, Op: dataknobs.Op(1 + c.IntN(int(dataknobs.IsNotNull)))}
	n := 1
	switch cond.Op {
	case dataknobs.IsNull, dataknobs.IsNotNull:
		n = 0
	case dataknobs.Between, dataknobs.NotBetween:
		n = 2
	case dataknobs.In, dataknobs.NotIn:
		n = c.IntN(7)
	}
	for range n {
		if cond.Op >= dataknobs.Like && cond.Op <= dataknobs.NotMatches {
			cond.Args = append(cond.Args, dataknobs.String(c.pattern(cond.Op, p)))
		} else {
			cond.Args = append(cond.Args, c.constant(p))
		}
	}
	if n == 2 && cond.Args[0].Compare(cond.Args[1]) > 0 {
		slices.Reverse(cond.Args)
	}
	return cond
}

// A census counts the fidelities of the conditions, by operator and kind.
type census map[string]*[3]int

func (c census) add(cond *dataknobs.Cond, f dataknobs.Fidelity) {
	key := cond.Op.String()
	if len(cond.Args) > 0 {
		key += " " + cond.Args[0].Kind().String()
	}
	if c[key] == nil {
		c[key] = new([3]int)
	}
	c[key][f]++
}

func (c census) log(t *testing.T) {
	for _, key := range slices.Sorted(func(yield func(string) bool) {
		for k := range c {
			if !yield(k) {
				return
			}
		}
	}) {
		t.Logf("%-24s none %d, rough %d, exact %d", key, c[key][0], c[key][1], c[key][2])
	}
}

// checkCond asks the database for one condition and compares.
func checkCond(t *testing.T, s store, table *sqlgen.Table, recs []*dataknobs.Record, cond *dataknobs.Cond) dataknobs.Fidelity {
	t.Helper()
	sup := table.Filter(cond)
	if sup.Fidelity == dataknobs.None {
		return sup.Fidelity
	}
	m, err := dataknobs.Compile(cond)
	if err != nil {
		return sup.Fidelity // the engine refuses it
	}
	st, err := table.Select(&dataknobs.Scan{Where: cond, Paths: []dataknobs.Path{}, NoRevision: true})
	if err != nil {
		t.Fatalf("%s: %v", describe(cond), err)
	}
	got := map[string]bool{}
	for _, row := range s.rows(t, st.SQL, st.Args...) {
		got[idOf(table, row)] = true
	}
	for _, r := range recs {
		want := m.Match(r)
		if got[r.ID] == want || got[r.ID] && sup.Fidelity == dataknobs.Rough {
			continue
		}
		t.Errorf("%s of %s\nis %v in the database (%s); want %v\n%s\n%q", describe(cond), r.Lookup(cond.Path), got[r.ID], sup.Fidelity, want, st.SQL, st.Args)
		return sup.Fidelity
	}
	return sup.Fidelity
}

// idOf returns the ID of a row of a statement without any other paths.
func idOf(table *sqlgen.Table, row []any) string {
	if table.ID != "" {
		return row[0].(string)
	}
	return fmt.Sprint(row[0])
}

func describe(c *dataknobs.Cond) string { return fmt.Sprintf("%s %s %v", c.Path, c.Op, c.Args) }

func TestDocumentConditions(t *testing.T) {
	rounds := 4000
	if testing.Short() {
		rounds = 400
	}
	for name, s := range stores(t) {
		for _, indexed := range [][]dataknobs.Path{nil, {dataknobs.Names("x"), dataknobs.Names("_meta", "x"), dataknobs.Names("a"), dataknobs.Names("$time"), dataknobs.Names(`a\"b`)}} {
			t.Run(fmt.Sprintf("%s/%d indexes", name, len(indexed)), func(t *testing.T) {
				recs := randomRecords(1+len(indexed), 400)
				table := documentTable(s.dialect(), fmt.Sprintf("t%d", len(indexed)), indexed...)
				create(t, s, table)
				fill(t, s, table, recs)
				c := &chance{rand.New(rand.NewPCG(1, uint64(len(indexed)))), recs}
				seen := census{}
				for range rounds {
					cond := c.cond()
					seen.add(cond, checkCond(t, s, table, recs, cond))
					if t.Failed() && t.Name() != "" && failures(t) {
						return
					}
				}
				if testing.Verbose() {
					seen.log(t)
				}
			})
		}
	}
}

// failures stops a test at its first failure.
func failures(t *testing.T) bool { return t.Failed() }
