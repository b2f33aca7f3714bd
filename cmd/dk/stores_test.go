package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"dataknobs.dev/dataknobs/internal/servers"
)

// The ID is the store's own here: a row number, or one that copying made.
var idInJSON = regexp.MustCompile(`"_id":"[^"]*",`)

// The same records and the same query give the same answer on every store.
func TestSameAnswerOnEveryStore(t *testing.T) {
	flights, err := filepath.Abs("../../examples/data/flights.csv")
	if err != nil {
		t.Fatal(err)
	}
	postgres := fmt.Sprintf("%s?table=dk_flights_%d", servers.Postgres(t), time.Now().UnixNano())
	s := newShell(t)
	stores := []string{"flights.parquet", "flights.ndjson.gz", "sqlite:flights.db?table=flights", "sqlite:typed.db?table=flights&types=" +
		"year:int,month:int,day:int,dep_time:int,sched_dep_time:int,dep_delay:int,arr_time:int,sched_arr_time:int,arr_delay:int,carrier:string," +
		"flight:int,tailnum:string,origin:string,dest:string,air_time:int,distance:int,hour:int,minute:int,time_hour:time", postgres}
	for _, store := range stores {
		s.ok("copy", flights, store, "--nulls", "NA")
	}
	for _, query := range []string{
		"carrier = 'AA' and dep_delay > 120 order by dep_delay desc limit 10",
		"select carrier, count(*) as flights, avg(dep_delay) as delay group by carrier having count(*) > 100 order by avg(dep_delay) desc limit 4",
		"select origin, dest, min(dep_delay), max(time_hour), sum(distance) group by origin, dest",
		"select carrier, flight where dep_delay is null order by time_hour, carrier, flight",
		"not (dep_delay between -10 and 900) or tailnum like 'N_4%A' order by time_hour, carrier, flight limit 20 offset 5",
		"select flight, time_hour where time_hour >= '2013-01-02' and dest in ('MIA', 'ORD') and tailnum matches '^N[0-9]+A{2}$' order by flight, time_hour",
		"select count(*), count(dep_delay), count(tailnum) where carrier != 'UA'",
	} {
		want := s.ok("query", flights, query, "--nulls", "NA")
		if want == "" {
			t.Errorf("%s: the file has no answer", query)
		}
		for _, store := range stores {
			got := idInJSON.ReplaceAllString(s.ok("query", store, query), "")
			same(t, store+": "+query, got, want)
		}
	}
	s.fails(exitFailed, []string{"readonly=true"}, "put", postgres+"&readonly=true", "a", "x=1")
}
