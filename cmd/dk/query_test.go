package main

import (
	"strings"
	"testing"
)

func TestQueryOutput(t *testing.T) {
	s := newShell(t)
	s.write("people.json", peopleJSON)
	s.write("planes.csv", planesCSV)
	for _, c := range []struct{ name, args, want string }{
		{"NDJSON in a pipe", "query|people.json|born < 1900 order by born", `{"_id":"李","name":"李善兰","born":1811,"address":{"city":"上海"}}
{"_id":"ada","name":"Ada Lovelace","born":1815,"email":"ada@example.org","tags":["maths","engines"],"address":{"city":"London"}}
`},
		{"JSON", "query|people.json|select name order by name|-o|json", `[
  {"_id":"ada","name":"Ada Lovelace"},
  {"_id":"grace","name":"Grace Hopper"},
  {"_id":"李","name":"李善兰"}
]
`},
		{"JSON of nothing", "query|people.json|born > 3000|-o|json", "[]\n"},
		{"row numbers are not shown", "query|planes.csv|year < 1990", `{"tailnum":"N201AA","year":1959,"maker":"CESSNA","seats":2}
`},
		{"but when asked for", "query|planes.csv|select _id, tailnum where year < 1990", `{"_id":"3","tailnum":"N201AA"}
`},
		{"a key is a field already", "query|planes.csv|year < 1990|--key|tailnum", `{"tailnum":"N201AA","year":1959,"maker":"CESSNA","seats":2}
`},
		{"CSV keeps null and quotes", "query|planes.csv|select tailnum, maker, year where seats is null or seats = 2|-o|csv", `tailnum,maker,year
N201AA,CESSNA,1959
N000,"Smith, Jones & Co",
`},
		{"CSV of nested values", "query|people.json|select name, address.city, tags where born < 1900 order by born|-o|csv", `_id,name,address.city,tags
李,李善兰,上海,
ada,Ada Lovelace,London,"[""maths"",""engines""]"
`},
		{"CSV of nothing has a header", "query|planes.csv|year > 3000|-o|csv", "tailnum,year,maker,seats\n"},
		{"CSV of fields that come late", "query|people.json|select * order by born|-o|csv", `_id,name,born,address,email,tags
李,李善兰,1811,"{""city"":""上海""}",,
ada,Ada Lovelace,1815,"{""city"":""London""}",ada@example.org,"[""maths"",""engines""]"
grace,Grace Hopper,1906,"{""city"":""New York""}",,
`},
		{"table", "query|people.json|select name, born, email order by born|-o|table", `_id    name          born  email
-----  ------------  ----  ---------------
李     李善兰        1811  null
ada    Ada Lovelace  1815  ada@example.org
grace  Grace Hopper  1906  null
`},
		{"groups", "query|planes.csv|select maker, count(*), avg(seats) group by maker order by count(*) desc, maker|-o|table", `maker              count(*)  avg(seats)
-----------------  --------  ----------
BOEING                    2       149.0
CESSNA                    1         2.0
Smith, Jones & Co         1        null
`},
		{"Markdown", "query|planes.csv|select tailnum, year order by year limit 2|-o|markdown", `| tailnum | year |
| ------- | ----:|
| N201AA  | 1959 |
| N24211  | 1998 |
`},
		{"parameters", "query|people.json|select name where born > :least and born < ?|--param|least=1811|--arg|1900", `{"_id":"ada","name":"Ada Lovelace"}
`},
		{"flags anywhere", "query|--key|tailnum|planes.csv|-o|csv|select tailnum limit 1|--nulls|CESSNA", "tailnum\nN14228\n"},
		{"options in the URL", "query|planes.csv?nulls=CESSNA&key=tailnum|select tailnum where maker is null", `{"tailnum":"N201AA"}
`},
		{"count", "count|planes.csv", "4\n"},
		{"count some", "count|planes.csv|seats > ?|--arg|100", "2\n"},
		{"get in order", "get|people.json|grace|ada|-o|csv", `_id,name,born,email,address,tags
grace,Grace Hopper,1906,,"{""city"":""New York""}",
ada,Ada Lovelace,1815,ada@example.org,"{""city"":""London""}","[""maths"",""engines""]"
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := *s
			s.t = t
			same(t, "dk "+strings.ReplaceAll(c.args, "|", " "), s.ok(strings.Split(c.args, "|")...), c.want)
		})
	}
}

func TestStandardInput(t *testing.T) {
	s := newShell(t)
	r := s.process("{\"a\":1}\n{\"a\":2}\n", "query", "-", "a > 1", "--format", "ndjson")
	same(t, "dk query -", r.out+r.err, "{\"a\":2}\n")
	r = s.process("a,b\n1,x\n2,y\n", "query", "-", "a > 1", "--format", "csv", "-o", "csv")
	same(t, "dk query - of CSV", r.out+r.err, "a,b\n2,y\n")
}

func TestTableOnTerminal(t *testing.T) {
	s := newShell(t)
	s.notes = true
	s.write("people.json", peopleJSON)
	s.write("planes.csv", planesCSV)
	s.screen = screen{tty: true, width: 40}
	r := s.run("", "query", "people.json", "born < 1900 order by born")
	same(t, "narrow", r.out, `_id  name          born  address
───  ────────────  ────  ───────────────
李   李善兰        1811  {"city":"上海"}
ada  Ada Lovelace  1815  {"city":"Londo…
`)
	for _, line := range strings.Split(r.out, "\n") {
		if w := textWidth(line); w > 40 {
			t.Errorf("a line is %d wide: %s", w, line)
		}
	}
	for _, want := range []string{"2 columns not shown", "email, tags", "(2 records)"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("notes %q lack %q", r.err, want)
		}
	}

	s.screen = screen{tty: true, width: 80, colour: true}
	out := s.ok("query", "planes.csv", "select tailnum, seats order by tailnum limit 1")
	if !strings.Contains(out, "\x1b[1m") || !strings.Contains(out, styleDim+"null"+styleOff) {
		t.Errorf("no bold head or dim null in %q", out)
	}
	s.env["NO_COLOR"] = "1"
	if scr := screenOf(&strings.Builder{}, func(string) string { return "" }); scr.tty || scr.colour {
		t.Errorf("a buffer is taken for a terminal: %+v", scr)
	}
}

func TestTableStopsOnTerminal(t *testing.T) {
	s := newShell(t)
	s.notes = true
	s.write("n.csv", "n\n"+strings.Repeat("1\n", tableOnTerminal+1))
	s.screen = screen{tty: true, width: 80}
	r := s.run("", "query", "n.csv")
	if lines := strings.Count(r.out, "\n"); lines != tableOnTerminal+2 || !strings.Contains(r.err, "and more") {
		t.Errorf("%d lines, notes %q", lines, r.err)
	}
	for _, args := range [][]string{{"-o", "table"}, {"limit 1001"}} {
		r := s.run("", append([]string{"query", "n.csv"}, args...)...)
		if lines := strings.Count(r.out, "\n"); lines != tableOnTerminal+3 || strings.Contains(r.err, "and more") {
			t.Errorf("%v: %d lines, notes %q", args, lines, r.err)
		}
	}
	s.screen = screen{}
	if lines := strings.Count(s.ok("query", "n.csv"), "\n"); lines != tableOnTerminal+1 {
		t.Errorf("in a pipe: %d lines", lines)
	}
}

// TestHostileText: what is stored must not be able to command the terminal.
func TestHostileText(t *testing.T) {
	s := newShell(t)
	s.write("x.ndjson", `{"a":"\u001b[2Jred\nnext\ttab\u202e"}`+"\n")
	out := s.ok("query", "x.ndjson", "-o", "table")
	if !strings.Contains(out, `\x1b[2Jred\nnext\ttab\u202e`) || strings.Contains(out, "\x1b") {
		t.Errorf("table: %q", out)
	}
}

func TestParquetOutput(t *testing.T) {
	s := newShell(t)
	s.write("planes.csv", planesCSV)
	s.write("out.parquet", s.ok("query", "planes.csv", "year > 1990", "-o", "parquet"))
	same(t, "read back", s.ok("query", "out.parquet", "-o", "csv"), `tailnum,year,maker,seats
N14228,1999,BOEING,149
N24211,1998,BOEING,149
`)
	s.screen = screen{tty: true}
	s.fails(2, []string{"not for a terminal"}, "query", "planes.csv", "-o", "parquet")
}

func TestSpoolLargerThanMemory(t *testing.T) {
	s := newShell(t)
	var b strings.Builder
	for range spoolInMemory + 500 {
		b.WriteString("{\"a\":1}\n")
	}
	b.WriteString("{\"a\":2,\"late\":\"x\"}\n")
	s.write("x.ndjson", b.String())
	out := s.ok("query", "x.ndjson", "-o", "csv")
	if !strings.HasPrefix(out, "a,late\n1,\n") || !strings.HasSuffix(out, "1,\n2,x\n") || strings.Count(out, "\n") != spoolInMemory+502 {
		t.Errorf("%d lines: %.40q … %q", strings.Count(out, "\n"), out, out[len(out)-20:])
	}
}

func TestWarningsOnce(t *testing.T) {
	s := newShell(t)
	s.write("x.csv", "a,,\n1,2,3\n")
	r := s.run("", "query", "x.csv", "-o", "csv")
	same(t, "columns without a name", r.out, "a,column2,column3\n1,2,3\n")
	if n := strings.Count(r.err, "dk: warning: "); n == 0 || n != strings.Count(r.err, "\n") {
		t.Errorf("stderr: %s", r.err)
	}
}

// TestWarningsOfKinds: an empty answer names what can never be true.
func TestWarningsOfKinds(t *testing.T) {
	s := newShell(t)
	s.write("x.csv", "name,delay,at\na,5,2026-01-02T03:04:05Z\nb,NA,2026-01-03T03:04:05Z\n")
	s.write("x.json", `[{"name":"a","tags":["x"]}]`)
	const nulls = "(where words in a column of numbers mean null, name them, as in --nulls NA)"
	for _, c := range []struct{ args, want string }{
		{"query|x.csv|delay > 100", "delay holds string values, so delay > 100 is true of no record " + nulls},
		{"count|x.csv|delay > 100 and name = 'a'", "delay holds string values, so delay > 100 is true of no record " + nulls},
		{"query|x.csv|delay between 1 and 9", "delay holds string values, so delay BETWEEN 1 AND 9 is true of no record " + nulls},
		{"query|x.csv|delay > 100|--nulls|NA", ""},
		{"query|x.csv|delay like '5%'|--nulls|NA", "delay holds int values, so delay LIKE '5%' is true of no record"},
		{"query|x.csv|at > '2027-01-01'", ""},
		{"query|x.csv|at > 'tomorrow'", "at holds time values, so at > 'tomorrow' is true of no record"},
		{"query|x.csv|name = 'c'", ""},
		{"query|x.csv|delay not like '5%'|--nulls|NA", "delay holds int values, so delay NOT LIKE '5%' is true of no record"},
		{"query|x.csv|delay != 5 and name = 'c'", ""},
		{"query|x.json|tags contains 'y'", ""},
		{"delete|x.csv|--where|nam = 'z'|--dry-run", "no field is called nam; did you mean name?"},
		{"delete|x.csv|--key|name|--where|delay > 3|--dry-run", "delay holds string values, so delay > 3 is true of no record " + nulls},
		{"patch|x.csv|--key|name|--where|delay > 3|delay=1", "delay holds string values, so delay > 3 is true of no record " + nulls},
		{"count|x.csv|delai > 3", "no field is called delai; did you mean delay?"},
	} {
		want := c.want
		if want != "" {
			want = "dk: warning: " + want + "\n"
		}
		r := s.run("", strings.Split(c.args, "|")...)
		if r.code != exitDone {
			t.Errorf("%s: exit code %d", c.args, r.code)
		}
		same(t, c.args, r.err, want)
	}
}

// TestBoolOptions: --header false is read like --nulls NA, and not as a query.
func TestBoolOptions(t *testing.T) {
	s := newShell(t)
	s.write("x.csv", "1,2\n")
	const want = `{"column1":1,"column2":2}` + "\n"
	for _, args := range []string{"x.csv|--header|false", "x.csv|--header=false", "--header|false|x.csv", "x.csv|true|--header|false"} {
		same(t, args, s.ok(append([]string{"query"}, strings.Split(args, "|")...)...), want)
	}
	s.ok("copy", "x.csv", "y.csv", "--src-header", "false", "--dst-header", "true")
	same(t, "y.csv", s.read("y.csv"), "column1,column2\n1,2\n")
	same(t, "a query that is a word", s.ok("count", "x.csv", "--readonly", "--", "false"), "0\n")
	same(t, "alone", s.ok("count", "x.csv", "--readonly", "column1 = 1 or true", "--header=false"), "1\n")
}

func TestSchemaExplainBackends(t *testing.T) {
	s := newShell(t)
	s.write("planes.csv", planesCSV)
	out := s.ok("schema", "planes.csv", "-o", "table")
	for _, want := range []string{"field", "tailnum", "string", "int", "N14228"} {
		if !strings.Contains(out, want) {
			t.Errorf("schema lacks %s:\n%s", want, out)
		}
	}
	out = s.ok("schema", "planes.csv")
	if !strings.Contains(out, `{"field":"year","kinds":"int","nulls":1,"examples":[`) {
		t.Errorf("schema in a pipe:\n%s", out)
	}
	out = s.ok("explain", "planes.csv", "year > 1990 order by seats limit 2", "--analyze")
	for _, want := range []string{"year > 1990", "planes.csv"} {
		if !strings.Contains(out, want) {
			t.Errorf("explain lacks %s:\n%s", want, out)
		}
	}
	if out := s.ok("explain", "planes.csv", "year > 1990", "-o", "json"); !strings.HasPrefix(out, "{\n") {
		t.Errorf("explain -o json: %s", out)
	}
	if out := s.ok("backends"); !strings.Contains(out, `"name":"file"`) || !strings.Contains(out, `"name":"memory"`) {
		t.Errorf("backends: %s", out)
	}
	if out := s.ok("backends", "file"); !strings.Contains(out, "--nulls") {
		t.Errorf("backends file: %s", out)
	}
	if out := s.ok("version"); !strings.HasPrefix(out, "dk ") {
		t.Errorf("version: %s", out)
	}
}
