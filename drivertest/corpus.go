package drivertest

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode"

	"dataknobs.dev/dataknobs"
)

//go:embed testdata/corpus/*.txt
var corpusFiles embed.FS

// The corpus is the meaning of the query language as text: data, a query, and
// its answer. A file is a list of blocks; what belongs to a block is indented.
// Blank lines and lines that begin with # are passed over.
//
//	load
//	  {"_id": "a", "x": 1}              one record per line, as tagged JSON, in ascending order of _id
//	  {"_id": "b", "_meta": {"m": 1}}   its metadata
//
//	query x = 1                         the IDs that are wanted: in this order if the query has
//	  a                                 an order, a limit or an offset, else in any; or: nothing
//	query x = ?
//	  args [1]                          for the parameters: a JSON array, or an object for :names
//	  a
//	rows select x, count(*) group by x  whole rows, one per line
//	  {"x": 1, "count(*)": 1}
//	query x =
//	  error invalid argument: expected  a code, and what the message says
//	query
//	  text "x = 'two\nlines'"           the query as a JSON string
//	  "an ID" "text"                    IDs as JSON strings, where they need it
//
// Queries run over the records of the last load before them.

// A corpusSet is one load and the queries over it.
type corpusSet struct {
	file    string
	line    int
	recs    []*dataknobs.Record
	queries []*corpusQuery
}

// A corpusQuery is one query and its answer.
type corpusQuery struct {
	set     *corpusSet
	line    int
	text    string
	args    []any
	rows    bool
	want    []*dataknobs.Record // of query: with their IDs alone
	code    dataknobs.Code
	message string
}

// Corpus runs every query of the corpus over the store.
func Corpus(t *testing.T, h Harness) {
	sets, err := readCorpus()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets {
		t.Run(fmt.Sprintf("%s:%d", set.file, set.line), func(t *testing.T) {
			h := h.withColumns(columnsOf(set.recs))
			s := h.subject(t)
			if why := set.missing(s); why != "" {
				t.Logf("does not apply: %s", why)
				return
			}
			s.fill(set.recs)
			for _, q := range set.queries {
				s.corpusQuery(q)
			}
			if h.Reopen != nil {
				s.reopen()
				for _, q := range set.queries {
					s.corpusQuery(q)
				}
			}
		})
	}
}

// missing says why the store cannot hold the set's records; "" if it can.
func (set *corpusSet) missing(s *subject) string {
	n := needIDs
	for _, r := range set.recs {
		if len(r.Metadata) > 0 {
			n |= needMeta
		}
		for _, k := range s.f().Key {
			if !r.Get(k).IsNull() {
				n |= needFreeID
			}
		}
	}
	return n.missing(s.h, s.db)
}

// corpusQuery asks one query in every way that must give the same answer.
func (s *subject) corpusQuery(c *corpusQuery) {
	s.Helper()
	q, err := dataknobs.Parse(c.text, c.args...)
	if err != nil {
		c.report(s, c.checkError(err))
		return
	}
	c.report(s, c.checkText(q))
	got, err := s.db.All(s.ctx, q)
	if c.code != 0 || err != nil {
		c.report(s, c.checkError(err))
		return
	}
	c.report(s, c.checkRows(s, q, got))
	c.report(s, s.checkCount(q, len(got)))
	c.report(s, s.checkPages(q, got))
}

func (c *corpusQuery) report(s *subject, diff string) {
	s.Helper()
	if diff != "" {
		s.Errorf("testdata/corpus/%s:%d: query %s\n%s", c.set.file, c.line, c.text, diff)
	}
}

func (c *corpusQuery) checkError(err error) string {
	if c.code == 0 || dataknobs.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.message) {
		return fmt.Sprintf(" got    %s\n wanted %s that says %q", outcome(err), codeText(c.code), c.message)
	}
	return ""
}

// checkText checks that the query is the same after printing and reading it
// back, as text and as JSON.
func (c *corpusQuery) checkText(q *dataknobs.Query) string {
	text := q.String()
	again, err := dataknobs.Parse(text)
	if err != nil || again.String() != text {
		return fmt.Sprintf(" its canonical text %q is read back as %v, error %v", text, again, err)
	}
	b, err := json.Marshal(q)
	if err != nil {
		return fmt.Sprintf(" as JSON: error %v", err)
	}
	back := &dataknobs.Query{}
	if err := json.Unmarshal(b, back); err != nil || back.String() != text {
		return fmt.Sprintf(" its JSON %s is read back as %v, error %v", b, back, err)
	}
	return ""
}

func (c *corpusQuery) checkRows(s *subject, q *dataknobs.Query, got []*dataknobs.Record) string {
	want := c.want
	if len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == 0 && !q.Grouped() {
		got, want = byID(got), byID(want)
	}
	if slices.EqualFunc(got, want, func(g, w *dataknobs.Record) bool {
		return g.ID == w.ID && (!c.rows || s.sameRow(q, g, w))
	}) {
		return ""
	}
	if c.rows {
		return fmt.Sprintf(" got    %s\n wanted %s", showAll(got), showAll(want))
	}
	return fmt.Sprintf(" got    %q\n wanted %q", idsOf(got), idsOf(want))
}

// checkCount checks that Count agrees with a query that returned n records.
func (s *subject) checkCount(q *dataknobs.Query, n int) string {
	if q.Grouped() || q.Limit != nil || q.Offset != 0 {
		return ""
	}
	if got, err := s.db.Count(s.ctx, q.Where); err != nil || got != int64(n) {
		return fmt.Sprintf(" Count says %d (error %v), the query yields %d", got, err, n)
	}
	return ""
}

// checkPages checks that pages of two records together are what the query
// yields at once.
func (s *subject) checkPages(q *dataknobs.Query, all []*dataknobs.Record) string {
	if q.Grouped() || q.Limit != nil || len(all) == 0 {
		return ""
	}
	paged := *q
	paged.Limit = new(2)
	got, want := slices.Concat(s.pages(&paged, func(int) {})...), idsOf(all)
	if len(q.OrderBy) == 0 && q.Offset == 0 {
		got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	}
	if !slices.Equal(got, want) {
		return fmt.Sprintf(" in pages of 2: %q\n at once:       %q", got, want)
	}
	return ""
}

func readCorpus() ([]*corpusSet, error) {
	files, err := fs.Glob(corpusFiles, "testdata/corpus/*.txt")
	if err != nil {
		return nil, err
	}
	var sets []*corpusSet
	for _, f := range files {
		b, err := corpusFiles.ReadFile(f)
		if err != nil {
			return nil, err
		}
		more, err := parseCorpus(path.Base(f), string(b))
		if err != nil {
			return nil, err
		}
		sets = append(sets, more...)
	}
	return sets, nil
}

// parseCorpus reads one file of the corpus.
func parseCorpus(file, text string) ([]*corpusSet, error) {
	var sets []*corpusSet
	var q *corpusQuery // the block that indented lines belong to; nil: the load
	for i, line := range strings.Split(text, "\n") {
		fail := func(err error) error { return fmt.Errorf("%s:%d: %w", file, i+1, err) }
		body := strings.TrimSpace(line)
		word, rest, _ := strings.Cut(body, " ")
		switch {
		case body == "" || line[0] == '#':
		case line[0] == ' ' && len(sets) > 0:
			if err := addLine(sets[len(sets)-1], q, body); err != nil {
				return nil, fail(err)
			}
		case word == "load":
			sets, q = append(sets, &corpusSet{file: file, line: i + 1}), nil
		case (word == "query" || word == "rows") && len(sets) > 0:
			set := sets[len(sets)-1]
			q = &corpusQuery{set: set, line: i + 1, text: rest, rows: word == "rows"}
			set.queries = append(set.queries, q)
		default:
			return nil, fail(fmt.Errorf("cannot read %q", line))
		}
	}
	return sets, nil
}

// addLine adds an indented line to the query that it belongs to, or to the load.
func addLine(set *corpusSet, q *corpusQuery, body string) error {
	word, rest, _ := strings.Cut(body, " ")
	switch {
	case q == nil:
		r, err := parseRecord(body)
		if n := len(set.recs); err == nil && n > 0 && r.ID <= set.recs[n-1].ID {
			err = fmt.Errorf("the ID %q is not in ascending order", r.ID)
		}
		set.recs = append(set.recs, r)
		return err
	case word == "args":
		return q.parseArgs(rest)
	case word == "error":
		return q.parseError(rest)
	case body == "nothing":
		return nil
	case word == "text" && rest != "":
		return json.Unmarshal([]byte(rest), &q.text)
	case q.rows:
		r, err := parseRecord(body)
		q.want = append(q.want, r)
		return err
	}
	for body != "" {
		id, rest, err := cutID(body)
		if err != nil {
			return err
		}
		q.want = append(q.want, dataknobs.NewRecord(id))
		body = strings.TrimSpace(rest)
	}
	return nil
}

// cutID takes the first ID, a word or a JSON string, from a line.
func cutID(line string) (id, rest string, err error) {
	if line[0] != '"' {
		id, rest, _ = strings.Cut(line, " ")
		return id, rest, nil
	}
	d := json.NewDecoder(strings.NewReader(line))
	err = d.Decode(&id)
	return id, line[d.InputOffset():], err
}

// appendID appends an ID as cutID reads it.
func appendID(b []byte, id string) []byte {
	if strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r == '"' || unicode.IsSpace(r) }) || slices.Contains([]string{"args", "error", "nothing", "text"}, id) {
		return dataknobs.AppendJSONString(b, id)
	}
	return append(b, id...)
}

func parseRecord(text string) (*dataknobs.Record, error) {
	v, err := dataknobs.ParseTaggedJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	f := v.Fields()
	r := dataknobs.NewRecord(f.Value("_id").Str())
	f.Delete("_id")
	r.Metadata = f.Value("_meta").Fields()
	f.Delete("_meta")
	r.Fields = f
	return r, nil
}

func (c *corpusQuery) parseArgs(text string) error {
	v, err := dataknobs.ParseTaggedJSON([]byte(text))
	if err != nil {
		return err
	}
	for e := range v.Elems() {
		c.args = append(c.args, e)
	}
	for name, e := range v.All() {
		c.args = append(c.args, dataknobs.Named(name, e))
	}
	return nil
}

func (c *corpusQuery) parseError(text string) error {
	name, message, _ := strings.Cut(text, ":")
	for code := dataknobs.NotFound; code <= dataknobs.Internal; code++ {
		if code.Error() == name {
			c.code, c.message = code, strings.TrimSpace(message)
			return nil
		}
	}
	return fmt.Errorf("no such code: %q", name)
}
