package file_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/internal/nobody"
)

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is there must be what it is called. Only a file of no bytes is taken for empty.
func TestNotWhatItIsCalled(t *testing.T) {
	zipped := gzipped(t, "id,n\na,1\nb,2\n")
	for _, c := range []struct {
		name, path, text string
		o                file.Options
		code             dataknobs.Code
		says             []string
	}{
		{"text called gz", "x.csv.gz", "id,n\na,1\n", file.Options{}, dataknobs.DataLoss, []string{"plain text", "gzip", "compression=none"}},
		{"gzip called csv", "x.csv", zipped, file.Options{}, dataknobs.DataLoss, []string{"gzip data", "compression=gzip"}},
		{"cut gzip", "x.csv.gz", zipped[:len(zipped)-9], file.Options{}, dataknobs.DataLoss, []string{"x.csv.gz"}},
		{"text called parquet", "x.parquet", "id,n\n", file.Options{}, dataknobs.DataLoss, []string{"plain text"}},
		{"cut json", "x.json", `[{"id": "a"}, {"id": "b"`, file.Options{}, dataknobs.DataLoss, []string{"x.json"}},
		{"no json", "x.json", "id,n\n", file.Options{}, dataknobs.DataLoss, []string{"x.json"}},
		{"ragged csv", "x.csv", "id,n\na,1\nb\n", file.Options{}, dataknobs.DataLoss, []string{"line 3"}},
		{"unknown extension", "x.txt", "id,n\n", file.Options{}, dataknobs.InvalidArgument, []string{".txt", "csv", "parquet"}},
		{"bzip2", "x.csv.bz2", "BZh9", file.Options{}, dataknobs.InvalidArgument, []string{".bz2"}},
		{"unknown format", "x.csv", "id,n\n", file.Options{Format: "yaml"}, dataknobs.InvalidArgument, []string{"yaml", "ndjson"}},
		{"unknown compression", "x.csv", "id,n\n", file.Options{Compression: "xz"}, dataknobs.InvalidArgument, []string{"xz", "zstd"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Path = filepath.Join(t.TempDir(), c.path)
			write(t, c.o.Path, c.text)
			d, err := file.New(t.Context(), c.o)
			if err == nil { // some of it shows only when all is read
				db := dataknobs.New(d, nil)
				defer db.Close()
				_, err = db.All(t.Context(), &dataknobs.Query{})
				wantCode(t, err, c.code, c.says...)
				_, err = db.Put(t.Context(), dataknobs.NewRecord("z", dataknobs.F("n", 1)))
				if err == nil {
					err = db.Sync(t.Context())
				}
			}
			wantCode(t, err, c.code, c.says...)
			if got := read(t, c.o.Path); got != c.text {
				t.Errorf("the file was changed to %q", got)
			}
		})
	}
}

// A file of no bytes, as touch makes it, is an empty store in every format, and
// becomes a file of its format with the first write.
func TestFileOfNoBytes(t *testing.T) {
	var names []string
	for _, ext := range []string{".csv", ".tsv", ".json", ".ndjson"} {
		names = append(names, "x"+ext, "x"+ext+".gz", "x"+ext+".zst")
	}
	for _, name := range append(names, "x.parquet") {
		for _, key := range [][]string{nil, {"k"}} {
			t.Run(fmt.Sprint(name, key), func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, name)
				write(t, path, "")
				o := file.Options{Path: path, Key: key, Create: file.CreateNever}
				db := open(t, o)
				wantAll(t, db, "")
				wantAll(t, db, "select count(*), sum(n)", `{"count(*)":0,"sum(n)":null}`)
				wantAll(t, db, "select n where n > 1 order by n")
				_, err := db.Get(t.Context(), "a")
				wantCode(t, err, dataknobs.NotFound)
				closeStore(t, db)
				if got := read(t, path); got != "" {
					t.Errorf("reading changed the file to %q", got)
				}

				db = open(t, o)
				create(t, db, "a", dataknobs.F("k", "a"), dataknobs.F("n", 1))
				wantAll(t, db, "", `{"k":"a","n":1}`)
				closeStore(t, db)
				db = open(t, o)
				wantAll(t, db, "", `{"k":"a","n":1}`)
				if _, err := db.Get(t.Context(), "a"); err != nil {
					t.Error(err)
				}
				closeStore(t, db)
				if got := files(t, dir); strings.Contains(got, "journal") {
					t.Errorf("left behind: %q", got)
				}
			})
		}
		t.Run("load into "+name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			write(t, path, "")
			db := open(t, file.Options{Path: path})
			_, err := db.Load(t.Context(), func(yield func(*dataknobs.Record, error) bool) {
				yield(dataknobs.NewRecord("a", dataknobs.F("n", 1)), nil)
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			closeStore(t, db)
			wantAll(t, open(t, file.Options{Path: path}), "select n", `{"n":1}`)
		})
		t.Run("one of several "+name, func(t *testing.T) {
			dir := t.TempDir()
			db := open(t, file.Options{Path: filepath.Join(dir, "y"+name)})
			create(t, db, "a", dataknobs.F("n", 1))
			closeStore(t, db)
			write(t, filepath.Join(dir, name), "")
			wantAll(t, open(t, file.Options{Path: filepath.Join(dir, "*"+name)}), "select n", `{"n":1}`)
		})
	}
}

// An option beats the extension.
func TestOptionBeatsExtension(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.gz"), gzipped(t, "id,n\na,1\n"))
	write(t, filepath.Join(dir, "b.csv.gz"), "id,n\na,1\n")
	write(t, filepath.Join(dir, "c.txt"), `{"id": "a", "n": 1}`)
	for _, o := range []file.Options{
		{Path: filepath.Join(dir, "a.gz"), Format: "csv"},
		{Path: filepath.Join(dir, "b.csv.gz"), Compression: "none"},
		{Path: filepath.Join(dir, "c.txt"), Format: "ndjson"},
	} {
		wantAll(t, open(t, o), "n = 1", `{"id":"a","n":1}`)
	}
}

// A file that may not be read is PermissionDenied, not an empty store. Root may
// read everything, so as root the test is run by somebody else.
func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		nobody.Run(t)
		return
	}
	path := filepath.Join(t.TempDir(), "x.csv")
	write(t, path, "id\n1\n")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	_, err := file.New(t.Context(), file.Options{Path: path})
	wantCode(t, err, dataknobs.PermissionDenied)
}

// Where the IDs come from.
func TestIDs(t *testing.T) {
	for _, c := range []struct {
		name, path, text string
		key              []string
		side             string // the side file
		ids              string // of all records
		code             dataknobs.Code
		says             []string
	}{
		{name: "key", path: "x.csv", text: "tail,n\nN1,1\nN2,2\n", key: []string{"tail"}, ids: "N1 N2"},
		{name: "composite key", path: "x.csv", text: "a,b,n\nx,1,1\n\"x,1\",2,2\n", key: []string{"a", "b"}, ids: `x,1 x\,1,2`},
		{name: "id", path: "x.csv", text: "n,id\n1,7\n2,8\n", ids: "7 8"},
		{name: "id that repeats", path: "x.csv", text: "n,id\n1,7\n2,7\n", ids: "1 2"},
		{name: "id that is missing", path: "x.csv", text: "n,id\n1,7\n2,\n", ids: "1 2"},
		{name: "_id", path: "x.csv", text: "n,_id\n1,a\n2,b\n", ids: "a b"},
		{name: "rows", path: "x.csv", text: "n\n1\n1\n", ids: "1 2"},
		{name: "member", path: "x.json", text: `[{"n":1,"id":"a"},{"id":"b"}]`, ids: "a b"},
		{name: "_id member", path: "x.ndjson", text: `{"n":1,"_id":"a"}` + "\n" + `{"_id":"b"}`, ids: "a b"},
		{name: "member that is missing", path: "x.json", text: `[{"n":1,"id":"a"},{"n":2}]`, ids: "1 2"},
		{name: "keyed", path: "x.json", text: `{"a":{"n":1},"b":{"n":2}}`, ids: "a b"},
		{name: "key twice", path: "x.csv", text: "tail,n\nN1,1\nN2,2\nN1,3\n", key: []string{"tail"}, code: dataknobs.InvalidArgument, says: []string{"tail", "N1", "line 2", "line 4", "key="}},
		{name: "key twice in one line", path: "x.json", text: `[{"a":1},{"a":2},{"a":1}]`, key: []string{"a"}, code: dataknobs.InvalidArgument, says: []string{`"1"`, "line 1"}},
		{name: "key missing", path: "x.csv", text: "tail,n\nN1,1\n,2\n", key: []string{"tail"}, code: dataknobs.InvalidArgument, says: []string{"tail", "row 2", "null"}},
		{name: "key empty", path: "x.ndjson", text: "{\"tail\":\"\"}\n", key: []string{"tail"}, code: dataknobs.InvalidArgument, says: []string{"tail", "row 1", "empty"}},
		{name: "remembered key twice", path: "x.csv", text: "tail,n\nN1,1\nN1,2\n", side: `{"version":1,"key":["tail"]}`, code: dataknobs.DataLoss, says: []string{"tail", "line 2", "line 3"}},
		{name: "remembered key missing", path: "x.csv", text: "tail,n\nN1,1\n,2\n", side: `{"version":1,"key":["tail"]}`, code: dataknobs.DataLoss, says: []string{"tail", "row 2"}},
		{name: "no such column", path: "x.csv", text: "tail,n\nN1,1\n", key: []string{"tial"}, code: dataknobs.InvalidArgument, says: []string{"tial", "tail"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := file.Options{Path: filepath.Join(t.TempDir(), c.path), Key: c.key}
			write(t, o.Path, c.text)
			if c.side != "" {
				write(t, o.Path+".dk.json", c.side)
			}
			d, err := file.New(t.Context(), o)
			var ids []string
			if err == nil {
				db := dataknobs.New(d, nil)
				defer db.Close()
				var recs []*dataknobs.Record
				recs, err = db.All(t.Context(), &dataknobs.Query{})
				for _, r := range recs {
					ids = append(ids, r.ID)
					if got, err := db.Get(t.Context(), r.ID); err != nil || !got.Identical(r) || got.Revision != r.Revision {
						t.Errorf("Get(%q): got %v, %v; the scan had %v", r.ID, got, err, r)
					}
				}
			}
			if c.code != 0 {
				wantCode(t, err, c.code, c.says...)
				return
			}
			if err != nil || strings.Join(ids, " ") != c.ids {
				t.Errorf("got the IDs %q, error %v; wanted %q", ids, err, c.ids)
			}
		})
	}
}

// A query that looks at no ID does not pay for finding that a key repeats.
func TestRepeatedKeyIsFoundWhenItMatters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	write(t, path, "tail,n\nN1,1\nN1,2\n")
	db := open(t, file.Options{Path: path, Key: []string{"tail"}})
	if n, err := db.Count(t.Context(), nil); n != 2 || err != nil {
		t.Errorf("count: got %d, %v", n, err)
	}
	wantAll(t, db, "select sum(n)", `{"sum(n)":3}`)
	_, err := db.Put(t.Context(), dataknobs.NewRecord("N1", dataknobs.F("tail", "N1")))
	wantCode(t, err, dataknobs.InvalidArgument, "line 2", "line 3")
}

// A store of rows takes new rows, and says how to name a key.
func TestRows(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.csv")
	write(t, path, "n,name\n1,a\n1,b\n")
	db := open(t, file.Options{Path: path})
	res, err := db.Create(t.Context(), dataknobs.NewRecord("", dataknobs.F("n", 2), dataknobs.F("name", "c")))
	if err != nil || res.ID != "3" {
		t.Fatalf("create: got %+v, %v; wanted the ID 3", res, err)
	}
	for name, err := range map[string]error{
		"delete": db.Delete(t.Context(), "1"),
		"create": func() error { _, err := db.Create(t.Context(), dataknobs.NewRecord("x")); return err }(),
		"patch": func() error {
			_, err := db.Patch(t.Context(), "1", []dataknobs.Change{{Path: dataknobs.Names("n")}})
			return err
		}(),
	} {
		if dataknobs.CodeOf(err) != dataknobs.Unsupported || !strings.Contains(err.Error(), "key=") {
			t.Errorf("%s by ID: got %v, wanted Unsupported and how to name a key", name, err)
		}
	}
	if rec, err := db.Get(t.Context(), "3"); err != nil || rec.Get("name").Str() != "c" {
		t.Errorf("Get(3): got %v, %v", rec, err)
	}
	closeStore(t, db)
	if got, want := read(t, path), "n,name\n1,a\n1,b\n2,c\n"; got != want {
		t.Errorf("the file holds %q, wanted %q", got, want)
	}
}

func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"logs/2.csv":    "a,b\n3,x\n",
		"logs/1.csv":    "a,c\n1,true\n2,false\n",
		"logs/.x.csv":   "hidden\n1\n",
		"logs/x.json":   `[]`,
		"logs/[1].tsv":  "literal\n1\n",
		"logs/e/10.csv": "a\n007\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	db := open(t, file.Options{Path: filepath.Join(dir, "logs", "*.csv")})
	wantAll(t, db, "", `{"a":1,"c":true}`, `{"a":2,"c":false}`, `{"a":3,"b":"x"}`)
	wantAll(t, db, "select count(*), sum(a)", `{"count(*)":3,"sum(a)":6}`)
	wantAll(t, db, "select a where c is null", `{"a":3}`)
	wantAll(t, db, "select a order by a desc limit 2", `{"a":3}`, `{"a":2}`)
	if rec, err := db.Get(t.Context(), "1.csv:2"); err != nil || rec.Get("a").Int() != 2 {
		t.Errorf("Get(1.csv:2): got %v, %v", rec, err)
	}
	_, err := db.Create(t.Context(), dataknobs.NewRecord("", dataknobs.F("a", 1)))
	wantCode(t, err, dataknobs.Unsupported, "several files")

	// With one more file, a column is text: in all of them.
	db = open(t, file.Options{Path: filepath.Join(dir, "logs", "**", "*.csv")})
	wantAll(t, db, "select a", `{"a":"1"}`, `{"a":"2"}`, `{"a":"3"}`, `{"a":"007"}`)

	_, err = file.New(t.Context(), file.Options{Path: filepath.Join(dir, "logs")})
	wantCode(t, err, dataknobs.InvalidArgument, "several kinds", "csv", "tsv")
	_, err = file.New(t.Context(), file.Options{Path: filepath.Join(dir, "*.csv")})
	wantCode(t, err, dataknobs.NotFound, "no file matches")

	// A file of the literal name wins.
	wantAll(t, open(t, file.Options{Path: filepath.Join(dir, "logs", "[1].tsv")}), "", `{"literal":1}`)
}

func TestHive(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"year=2025/who=a%20b/x.csv":                           "n\n1\n",
		"year=2026/who=c/x.csv":                               "n\n2\n3\n",
		"year=2026/who=" + "__HIVE_DEFAULT_PARTITION__/x.csv": "n\n4\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	db := open(t, file.Options{Path: dir})
	wantAll(t, db, "", `{"n":1,"year":2025,"who":"a b"}`, `{"n":4,"year":2026,"who":null}`, `{"n":2,"year":2026,"who":"c"}`, `{"n":3,"year":2026,"who":"c"}`)
	wantAll(t, db, "select n where year = 2026 and who = 'c'", `{"n":2}`, `{"n":3}`)
	wantAll(t, db, "select year, sum(n) group by year", `{"year":2025,"sum(n)":1}`, `{"year":2026,"sum(n)":9}`)
	wantAll(t, open(t, file.Options{Path: dir, NoHive: true}), "select n, year where n = 1", `{"n":1}`)
}

// Kinds stay what they were written as, and the file stays a plain one.
func TestSideFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.csv")
	db := open(t, file.Options{Path: path, Key: []string{"zip"}})
	create(t, db, "", dataknobs.F("zip", "12"), dataknobs.F("n", 1))
	create(t, db, "", dataknobs.F("zip", "13"), dataknobs.F("n", 1.5))
	closeStore(t, db)
	if got, want := read(t, path), "zip,n\n12,1\n13,1.5\n"; got != want {
		t.Errorf("the file holds %q, wanted %q", got, want)
	}

	// The key is remembered, and the text is text.
	db = open(t, file.Options{Path: path})
	rec, err := db.Get(t.Context(), "12")
	if err != nil || rec.Get("zip").Kind() != dataknobs.KindString || rec.Get("n").Kind() != dataknobs.KindInt {
		t.Errorf("got %v, %v", rec, err)
	}

	// A new field is a new column; a column of several kinds stays readable.
	create(t, db, "", dataknobs.F("zip", "14"), dataknobs.F("n", "x"), dataknobs.F("more", true))
	closeStore(t, db)
	if got, want := read(t, path), "zip,n,more\n12,1,\n13,1.5,\n14,\"\"\"x\"\"\",true\n"; got != want {
		t.Errorf("the file holds %q, wanted %q", got, want)
	}
	db = open(t, file.Options{Path: path})
	wantAll(t, db, "", `{"zip":"12","n":1,"more":null}`, `{"zip":"13","n":1.5,"more":null}`, `{"zip":"14","n":"x","more":true}`)
	closeStore(t, db)

	// Another tool edits the file: the kinds hold as far as the text can be of them.
	write(t, path, "zip,n,more,other\n007,3,true,1\n")
	db = open(t, file.Options{Path: path})
	wantAll(t, db, "", `{"zip":"007","n":3,"more":true,"other":1}`)
	closeStore(t, db)
	write(t, path, "zip,n,more\n007,3,maybe\n")
	d, err := file.New(t.Context(), file.Options{Path: path})
	if err == nil {
		defer d.Close()
		for _, e := range d.Scan(t.Context(), &dataknobs.Scan{}) {
			err = errors.Join(err, e)
		}
	}
	wantCode(t, err, dataknobs.DataLoss, "more")
}

// A file that another program has spoilt refuses the write itself: nothing is
// acknowledged that could not be folded in, and no journal is left that would
// keep the file from being repaired.
func TestWriteToSpoiltFile(t *testing.T) {
	for _, c := range []struct {
		name, path, text string // as another program leaves the file
		o                file.Options
		says             []string
	}{
		{"cell of another kind", "w.csv", "s,x,_id\na,1,ada\nb,x1,bob\n", file.Options{}, []string{"line 3", "column 2", "x1"}},
		{"a float among ints", "w.csv", "s,x,_id\na,1,ada\nb,1.5,bob\n", file.Options{}, []string{"line 3", "1.5"}},
		{"compressed", "w.csv.gz", gzipped(t, "s,x,_id\na,1,ada\nb,x1,bob\n"), file.Options{}, []string{"line 3", "x1"}},
		{"key that repeats", "w.csv", "s,x\na,1\na,2\n", file.Options{Key: []string{"s"}}, []string{"the key s", "line 2", "line 3"}},
		{"ID that repeats", "w.csv", "s,x,_id\na,1,ada\nb,2,ada\n", file.Options{}, []string{"ada", "line 2", "line 3"}},
		{"time in json", "w.ndjson", `{"_id":"ada","x":1,"s":"a","at":"noon"}` + "\n", file.Options{}, []string{"at", "noon"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, c.path)
			c.o.Path = path
			put := func(id, s string, o file.Options) error {
				d, err := file.New(t.Context(), o)
				if err != nil {
					return err
				}
				db := dataknobs.New(d, nil)
				rec := dataknobs.NewRecord(id, dataknobs.F("s", s), dataknobs.F("x", 1))
				if strings.HasSuffix(path, "json") {
					rec.Fields.Set("at", dataknobs.Time(time.Unix(0, 0).UTC()))
				}
				_, err = db.Put(t.Context(), rec)
				if closed := db.Close(); err != nil && closed != nil {
					t.Errorf("close after a refused write: %v", closed)
				} else if err == nil && closed != nil {
					t.Errorf("a write was acknowledged, and then: %v", closed)
				}
				return err
			}
			id := func(s string) string {
				if c.o.Key != nil {
					return s
				}
				return "id of " + s
			}
			if err := put(id("a"), "a", c.o); err != nil {
				t.Fatal(err)
			}
			good := read(t, path)
			write(t, path, c.text)
			err := put(id("d"), "d", file.Options{Path: path})
			wantCode(t, err, dataknobs.DataLoss, c.says...)
			if got := read(t, path); got != c.text {
				t.Errorf("the file was changed to %q", got)
			}
			if got := files(t, dir); strings.Contains(got, ".journal") {
				t.Errorf("left behind: %q", got)
			}
			write(t, path, good)
			if err := put(id("d"), "d", file.Options{Path: path}); err != nil {
				t.Errorf("after the file was repaired: %v", err)
			}
		})
	}
}

func TestLoadModes(t *testing.T) {
	recs := func(yield func(*dataknobs.Record, error) bool) {
		for _, r := range []*dataknobs.Record{
			dataknobs.NewRecord("a", dataknobs.F("n", 1)), dataknobs.NewRecord("b", dataknobs.F("n", 2)),
			dataknobs.NewRecord("a", dataknobs.F("n", 3), dataknobs.F("x", "late")),
		} {
			if !yield(r, nil) {
				return
			}
		}
	}
	hint := &dataknobs.Schema{Fields: []dataknobs.FieldSchema{{Path: dataknobs.Names("n"), Kinds: dataknobs.KindsOf(dataknobs.KindInt)}}}
	for _, name := range []string{"x.csv", "x.ndjson", "x.parquet"} {
		for _, schema := range []*dataknobs.Schema{nil, hint} {
			dir := t.TempDir()
			load := func(mode dataknobs.LoadMode) (*dataknobs.DB, error) {
				db := open(t, file.Options{Path: filepath.Join(dir, name), Create: file.CreateAlways})
				_, err := db.Load(t.Context(), recs, &dataknobs.LoadOptions{Mode: mode, Schema: schema})
				return db, err
			}
			db, err := load(dataknobs.LoadCreate)
			wantCode(t, err, dataknobs.AlreadyExists)
			closeStore(t, db)
			if got := files(t, dir); got != "" {
				t.Errorf("a load that failed left %q", got)
			}
			db, err = load(dataknobs.LoadSkip)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantAll(t, db, "select n", `{"n":1}`, `{"n":2}`)
			closeStore(t, db)
			dir = t.TempDir()
			if db, err = load(dataknobs.LoadPut); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantAll(t, db, "select n", `{"n":3}`, `{"n":2}`)
			closeStore(t, db)
			wantAll(t, open(t, file.Options{Path: filepath.Join(dir, name)}), "select n where x = 'late'", `{"n":3}`)
		}
	}
}
