package sqlgen

import (
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A builder collects the parameters of one statement.
type builder struct {
	t    *Table
	args []any
}

func (b *builder) lite() bool { return b.t.Dialect == SQLite }

// arg adds a parameter and returns what stands for it. In PostgreSQL it is
// cast: the type names how it is sent.
func (b *builder) arg(v any, cast string) string {
	b.args = append(b.args, v)
	n := strconv.Itoa(len(b.args))
	if b.lite() {
		return "?" + n
	}
	return "$" + n + "::" + cast
}

// An answer is one condition in SQL and how exactly it says what was meant.
type answer struct {
	sql string
	dataknobs.Support
}

const (
	always = "1 = 1"
	never  = "1 = 0"
)

func exact(sql string) answer {
	return answer{sql, dataknobs.Support{Fidelity: dataknobs.Exact}}
}

func rough(sql, why string) answer {
	return answer{sql, dataknobs.Support{Fidelity: dataknobs.Rough, Reason: why}}
}

func refuse(why string) answer { return answer{Support: none(why)} }

// none is the answer to what cannot be done.
func none(why string) dataknobs.Support { return dataknobs.Support{Reason: why} }

func (a answer) exact() bool { return a.Fidelity == dataknobs.Exact }
func (a answer) none() bool  { return a.Fidelity == dataknobs.None }

// or joins answers: it is as exact as the least exact of them.
func or(as []answer) answer {
	all := exact(never)
	var sqls []string
	for _, a := range as {
		if a.none() {
			return a
		}
		if a.Fidelity < all.Fidelity {
			all.Support = a.Support
		}
		if a.sql != never {
			sqls = append(sqls, a.sql)
		}
	}
	switch len(sqls) {
	case 0:
	case 1:
		all.sql = sqls[0]
	default:
		all.sql = "(" + strings.Join(sqls, " OR ") + ")"
	}
	return all
}

// and joins SQL conditions; "" is left out.
func and(parts ...string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	switch len(kept) {
	case 0:
		return always
	case 1:
		return kept[0]
	}
	return "(" + strings.Join(kept, " AND ") + ")"
}

// column returns the quoted name of a column.
func (b *builder) column(name string) (string, error) { return Quote(b.t.Dialect, name) }

// QualifiedName returns the quoted name of the table, with its schema.
func (t *Table) QualifiedName() (string, error) {
	name, err := Quote(t.Dialect, t.Name)
	if err != nil || t.Schema == "" {
		return name, err
	}
	schema, err := Quote(t.Dialect, t.Schema)
	return schema + "." + name, err
}

// where returns the SQL of an expression, which Filter has been asked about
// leaf by leaf; "" for all records.
func (b *builder) where(e dataknobs.Expr) (string, error) {
	switch e := e.(type) {
	case nil:
		return "", nil
	case *dataknobs.Cond:
		a := b.cond(e)
		if a.none() {
			return "", dataknobs.Errorf(dataknobs.Internal, "a condition on %s that the database cannot evaluate: %s", e.Path, a.Reason)
		}
		return a.sql, nil
	case dataknobs.And:
		return b.join(e, " AND ", always)
	case dataknobs.Or:
		return b.join(e, " OR ", never)
	}
	return "", dataknobs.Errorf(dataknobs.Internal, "a %T in a simplified expression", e)
}

func (b *builder) join(parts []dataknobs.Expr, word, empty string) (string, error) {
	if len(parts) == 0 {
		return empty, nil
	}
	sqls := make([]string, len(parts))
	for i, p := range parts {
		s, err := b.where(p)
		if err != nil {
			return "", err
		}
		if s == "" {
			s = always
		}
		sqls[i] = s
	}
	return "(" + strings.Join(sqls, word) + ")", nil
}
