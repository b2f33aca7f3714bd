package elasticsearch

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"dataknobs.dev/dataknobs"
)

// Explain implements dataknobs.Explainer: the requests as they would be made.
func (d *Driver) Explain(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	m, err := d.mapping(ctx)
	if m == nil || err != nil {
		return []string{"there is no index yet"}, err
	}
	if s == nil {
		return d.explainGroups(m, a), nil
	}
	q, err := d.newSearch(ctx, m, s)
	if err != nil {
		return nil, err
	}
	return q.explain(), nil
}

func (d *Driver) explainGroups(m *mapping, a *dataknobs.Aggregation) []string {
	head := "POST " + d.path("_search") + " "
	if len(a.GroupBy) == 0 && len(a.Columns) == 1 && a.Columns[0].Agg == dataknobs.CountAll {
		return []string{"POST " + d.path("_count") + " " + string(encodeJSON(obj{"query": m.query(a.Where)}))}
	}
	g := &aggregation{d: d, m: m, a: a, where: m.query(a.Where), whole: map[string]bool{}}
	lines := []string{"count the records, and what the index does not tell exactly, in one view of the index"}
	if len(a.GroupBy) > 0 {
		lines = append(lines, head+string(encodeJSON(g.compositeBody(nil))))
	}
	for _, p := range aggregatePaths(&dataknobs.Aggregation{Columns: a.Columns}) {
		if !g.onlyCounted(p) {
			lines = append(lines, fmt.Sprintf("and for the values of %s, which are computed with here by their counts, %s%s", p, head, encodeJSON(g.compositeBody(p))))
		}
	}
	return lines
}

func (q *search) explain() []string {
	s := q.s
	body := q.page(firstPage)
	if q.after != nil {
		body["search_after"] = q.after
	}
	single := s.HasLimit && s.Limit <= 2*firstPage && s.Offset+s.Limit <= maxPage
	if s.HasLimit && s.Limit <= 2*firstPage {
		body["size"] = s.Limit
	}
	if s.Offset > 0 && s.Offset+firstPage <= maxPage {
		body["from"] = s.Offset
	}
	lines := []string{"POST " + q.d.path("_search") + " " + string(encodeJSON(body))}
	switch {
	case single:
	case s.Offset+firstPage > maxPage:
		lines = append(lines, fmt.Sprintf("in a view of the index, page by page; of the first %d records only the sort keys are read, %d at a time", s.Offset, maxPage))
	default:
		lines = append(lines, fmt.Sprintf("if that does not hold all: in a view of the index, page by page, in %d slices", q.slices()))
	}
	return lines
}

// Analyze implements dataknobs.Analyzer: what Explain says, and where the
// server spent its time on the first page.
func (d *Driver) Analyze(ctx context.Context, s *dataknobs.Scan, a *dataknobs.Aggregation) ([]string, error) {
	lines, err := d.Explain(ctx, s, a)
	if err != nil {
		return nil, err
	}
	m, err := d.forReading(ctx)
	if m == nil || err != nil {
		return lines, err
	}
	var body obj
	if s != nil {
		q, err := d.newSearch(ctx, m, s)
		if err != nil {
			return nil, err
		}
		body = q.page(firstPage)
	} else {
		g := &aggregation{d: d, m: m, a: a, where: m.query(a.Where), whole: map[string]bool{}}
		body = g.compositeBody(nil)
		if len(a.GroupBy) == 0 {
			body = obj{"size": 0, "query": g.where}
		}
	}
	body["profile"] = true
	answer, err := d.search(ctx, d.path("_search"), body, nil, nil)
	if err != nil {
		return nil, err
	}
	return append(lines, profileLines(answer.body)...), nil
}

// A timing is one step of a profile.
type timing struct {
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Name        string   `json:"name"`
	Nanos       int64    `json:"time_in_nanos"`
	Children    []timing `json:"children"`
}

func profileLines(body []byte) []string {
	var a struct {
		Took    int64 `json:"took"`
		Profile struct {
			Shards []struct {
				ID       string `json:"id"`
				Searches []struct {
					Query     []timing `json:"query"`
					Collector []timing `json:"collector"`
				} `json:"searches"`
				Aggregations []timing `json:"aggregations"`
				Fetch        *timing  `json:"fetch"`
			} `json:"shards"`
		} `json:"profile"`
	}
	if json.Unmarshal(body, &a) != nil {
		return nil
	}
	lines := []string{fmt.Sprintf("profile of the first page: %d ms", a.Took)}
	for _, s := range a.Profile.Shards {
		lines = append(lines, "  shard "+s.ID)
		for _, search := range s.Searches {
			lines = appendTimings(lines, 2, append(search.Query, search.Collector...), 0)
		}
		lines = appendTimings(lines, 2, s.Aggregations, 0)
		if s.Fetch != nil {
			lines = appendTimings(lines, 2, []timing{*s.Fetch}, 0)
		}
	}
	return lines
}

// appendTimings appends a line for each step, and below it for those of its
// parts that took at least a twentieth of its time: the server splits queries
// into dozens of parts that take none.
func appendTimings(lines []string, depth int, ts []timing, least int64) []string {
	for _, t := range ts {
		if t.Nanos < least {
			continue
		}
		what := strings.TrimSpace(t.Type + t.Name + " " + t.Description)
		if r := []rune(what); len(r) > 160 {
			what = string(r[:160]) + "…"
		}
		lines = append(lines, fmt.Sprintf("%s%s: %.3f ms", strings.Repeat("  ", depth), what, float64(t.Nanos)/1e6))
		lines = appendTimings(lines, depth+1, t.Children, max(least, t.Nanos/20))
	}
	return lines
}
