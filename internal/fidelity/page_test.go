package fidelity_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/drivertest"
	"dataknobs.dev/dataknobs/internal/generated"
)

const pageHead = `# What each store does of a query itself

<!-- written by a test from what Explain said in its run: go test ./internal/fidelity -run Fidelity -update -->

Every store gives the same answer to the same query over the same records ([semantics.md](semantics.md)). How much of the work
the store does differs, and this page says how: for each part of the query language and each kind of value,

- **exact**: the store does all of it;
- **superset**: the store leaves out some of the records that do not belong, and the engine checks the rest again;
- **here**: the store hands over the records, and the engine finishes the work in this process.

Some of the values are extreme on purpose (1e30, integers past 2⁵³, empty texts, nested arrays): what a store gives up when it meets
such a value counts as here. For stores in this process (memory, files) exact means that the driver does it while it reads, with indexes or statistics where there are any.

The page is what happened, not what is meant: a test asks each store %d queries, compares each answer with a model of the contract,
and writes down what Explain said of it. The same test, "go test ./internal/fidelity", also loads the same random records into all of these stores, asks all of
them the same %s random queries with writes in between, and compares every answer. With "-seeds 1..5000" there are a million; "-seeds 57" repeats one set.

What a store does of conditions joined by AND, OR and NOT follows from its parts: see [the planner](design/0002-planner.md).
`

// TestFidelity: docs/fidelity.md is what the stores did.
func TestFidelity(t *testing.T) {
	all := stores(t)
	found := make([][]drivertest.Finding, len(all))
	var mu sync.Mutex
	t.Run("survey", func(t *testing.T) {
		for i := range all {
			t.Run(all[i].Name, func(t *testing.T) {
				t.Parallel()
				fs := drivertest.Survey(t, all[i].Harness)
				mu.Lock()
				found[i] = fs
				mu.Unlock()
			})
		}
	})
	if t.Failed() || slices.ContainsFunc(found, func(fs []drivertest.Finding) bool { return fs == nil }) {
		return
	}
	generated.Check(t, "docs/fidelity.md", page(all, found), "go test ./internal/fidelity -run Fidelity -update")
}

// titles are the stores in the order of the page.
var titles = []struct{ name, title, about string }{
	{"memory", "Memory", "`mem:`"},
	{"json", "JSON file", "a `.json` file; `.ndjson` is read alike"},
	{"csv", "CSV file", "a `.csv` file"},
	{"parquet", "Parquet file", "a `.parquet` file"},
	{"sqlite", "SQLite", "a table of records as documents"},
	{"sqlite columns", "SQLite, typed columns", "a table with a column for each plain kind; arrays, objects and mixed kinds are in its column `extra`"},
	{"postgres", "PostgreSQL", "a table of records as `jsonb`"},
	{"postgres columns", "PostgreSQL, typed columns", "a table with a column for each plain kind; arrays, objects and mixed kinds are in its column `extra`"},
	{"elasticsearch", "Elasticsearch", "an index made by this program, in which one field was declared as text"},
	{"s3", "S3", "a bucket of one object for each record"},
}

// A part is one part of the query language with what a store did of it.
type part struct {
	name string
	on   map[string][]string // "exact", "superset", "here" or "refused" → kinds of values
	all  int                 // how many kinds it was tried on
	why  []string
}

func page(all []drivertest.Store, found [][]drivertest.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, pageHead, len(found[0]), thousands(100*queriesPerSeed))
	by := map[string][]part{}
	for i, s := range all {
		by[s.Name] = partsOf(found[i])
	}
	atAGlance(&b, by)
	for _, t := range titles {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n", t.title, upperFirst(t.about))
		table(&b, by[t.name])
	}
	return b.String()
}

func upperFirst(s string) string {
	if s[0] == '`' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }

// words are the columns of the tables.
var words = []string{"exact", "superset", "here", "refused"}

func wordOf(f *drivertest.Finding) string {
	switch {
	case f.Refused:
		return "refused"
	case f.Fidelity == dataknobs.Exact:
		return "exact"
	case f.Fidelity == dataknobs.Rough:
		return "superset"
	}
	return "here"
}

// partsOf gathers what was found, in the order in which it was.
func partsOf(fs []drivertest.Finding) []part {
	var parts []part
	for i := range fs {
		f := &fs[i]
		at := slices.IndexFunc(parts, func(p part) bool { return p.name == f.Part })
		if at < 0 {
			at = len(parts)
			parts = append(parts, part{name: f.Part, on: map[string][]string{}})
		}
		p := &parts[at]
		if word := wordOf(f); !slices.Contains(p.on[word], f.On) {
			p.on[word] = append(p.on[word], f.On)
		}
		if f.Reason != "" && !slices.Contains(p.why, f.Reason) {
			p.why = append(p.why, f.Reason)
		}
	}
	for i := range parts {
		kinds := map[string]bool{}
		for _, on := range parts[i].on {
			for _, k := range on {
				kinds[k] = true
			}
		}
		parts[i].all = len(kinds)
	}
	return parts
}

// word sums up a part: the one word that holds for all kinds of values, or the
// words that hold for some.
func (p *part) word() string {
	var some []string
	for _, w := range words {
		if len(p.on[w]) > 0 {
			some = append(some, w)
		}
	}
	return strings.Join(some, ", ")
}

func atAGlance(b *strings.Builder, by map[string][]part) {
	b.WriteString("\n## At a glance\n\nSeveral words: it depends on the kind of value, as the store's own table says.\n\n|")
	for _, t := range titles {
		b.WriteString(" | " + t.title)
	}
	b.WriteString(" |\n| ---" + strings.Repeat(" | ---", len(titles)) + " |\n")
	for i, p := range by[titles[0].name] {
		b.WriteString("| " + code(p.name))
		for _, t := range titles {
			b.WriteString(" | " + by[t.name][i].word())
		}
		b.WriteString(" |\n")
	}
}

func code(s string) string { return "`" + s + "`" }

// table writes a store's parts, those that are alike in one row.
func table(b *strings.Builder, parts []part) {
	type row struct{ names, cells, why string }
	var rows []row
	for i := range parts {
		p := &parts[i]
		var cells []string
		for _, w := range words[:3] {
			cells = append(cells, p.kinds(w))
		}
		r := row{code(p.name), strings.Join(cells, " | "), strings.Join(p.why, "; ")}
		if len(p.on["refused"]) > 0 {
			r.cells, r.why = " |  | ", "refused: the store has no full-text search"
		}
		if at := slices.IndexFunc(rows, func(o row) bool { return o.cells == r.cells && o.why == r.why }); at >= 0 {
			rows[at].names += " " + r.names
		} else {
			rows = append(rows, r)
		}
	}
	b.WriteString("| part | exact | superset | here | why not exact |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %s |\n", r.names, r.cells, strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(r.why))
	}
}

// kinds lists the kinds of values of which a word holds. Some: for some
// constants or queries it does, for others it does not.
func (p *part) kinds(word string) string {
	on := p.on[word]
	if len(on) == p.all && p.word() == word {
		if p.all == 1 {
			return on[0]
		}
		return "all"
	}
	var list []string
	for _, k := range on {
		for _, other := range words {
			if other != word && slices.Contains(p.on[other], k) {
				k += " (some)"
				break
			}
		}
		list = append(list, k)
	}
	return strings.Join(list, ", ")
}
