package elasticsearch_test

import (
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/file"
)

// A file and an index that was loaded from it answer alike, to the last digit.
func TestFlights(t *testing.T) {
	file, err := dataknobs.Open(t.Context(), "file:../../examples/data/flights.csv?nulls=NA", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	db := openNew(t)
	if _, err := db.Load(t.Context(), file.Run(t.Context(), nil), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		query  string
		pushed bool // nothing is left to be done here
	}{
		{"carrier = 'AA' and dep_delay > 120 order by dep_delay desc limit 10", true},
		{"select carrier, flight, dest, dep_delay where carrier = 'AA' and dep_delay > 120 order by dep_delay desc, flight limit 5", true},
		{"select carrier, count(*) as flights, avg(dep_delay) as delay group by carrier", true},
		{"select origin, dest, count(dep_delay), sum(arr_delay), min(dep_time), max(tailnum), avg(distance) group by origin, dest", true},
		{"select count(*), count(dep_delay), sum(distance), avg(air_time), min(time_hour), max(carrier)", true},
		{"select month, count(*) where dest in ('LAX', 'SFO') and dep_delay is not null group by month", true},
		{"time_hour >= '2013-06-01' and time_hour < '2013-06-02' order by time_hour, flight limit 50", true},
		{"tailnum like 'N1%' and not (origin = 'JFK' or dest starts with 'B') order by tailnum, time_hour limit 30 offset 20", true},
		{"tailnum like '%AA' order by tailnum, time_hour limit 30", false},
		{"tailnum matches '^N[0-9]+$' order by flight, time_hour, dest limit 30", false},
		{"dep_delay is null order by time_hour, flight limit 20", true},
		{"order by dep_delay desc nulls first, flight, time_hour, dest limit 40", true},
	} {
		q := must(dataknobs.Parse(c.query))
		opts := []dataknobs.RunOption{}
		if c.pushed && !q.Grouped() {
			opts = append(opts, dataknobs.StrictPushdown())
		}
		want, err := file.All(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.All(t.Context(), q, opts...)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if g, w := lines(got), lines(want); !slices.Equal(g, w) {
			t.Errorf("%s: got %d results, wanted %d:\n got    %.600s\n wanted %.600s", c.query, len(got), len(want), strings.Join(g, "\n        "), strings.Join(w, "\n        "))
		}
		if c.pushed {
			plan, err := db.Explain(t.Context(), q, dataknobs.ExplainOptions{})
			if err != nil || q.Grouped() && plan.Pushed.Groups == "" && !strings.Contains(c.query, "count(*) where") {
				t.Errorf("%s: the groups are computed here: %v\n%s", c.query, err, plan)
			}
		}
	}
}

// lines prints records without their IDs, which a file does not have.
func lines(recs []*dataknobs.Record) []string {
	out := make([]string, len(recs))
	for i, r := range recs {
		out[i] = dataknobs.Object(r.Fields).String()
	}
	return out
}
