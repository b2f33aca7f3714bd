package sqlite_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lite"
	"dataknobs.dev/dataknobs/driver/sqlite"
	"dataknobs.dev/dataknobs/internal/nobody"
)

// database makes a database with those statements.
func database(t *testing.T, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.db")
	run(t, path, statements...)
	return path
}

// run runs statements as another program would.
func run(t *testing.T, path string, statements ...string) *lite.Conn {
	t.Helper()
	c, err := lite.Open(path, lite.Create, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, sql := range statements {
		if err := c.Exec(sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return c
}

// wantError reports it unless err has the code and its text holds all of the
// words.
func wantError(t *testing.T, err error, code dataknobs.Code, words ...string) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want the code %v", err, code)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got %q, want it to say %q", err, w)
		}
	}
}

func put(t testing.TB, db *dataknobs.DB, id string, fields ...dataknobs.Field) {
	t.Helper()
	if _, err := db.Put(t.Context(), dataknobs.NewRecord(id, fields...)); err != nil {
		t.Fatalf("put %s: %v", id, err)
	}
}

func TestOpenFaults(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database at all\n", 300)), 0o644); err != nil {
		t.Fatal(err)
	}
	several := database(t, "create table people (id text primary key)", "create table orders (id integer primary key)")
	for _, c := range []struct {
		name  string
		o     sqlite.Options
		code  dataknobs.Code
		words []string
	}{
		{"missing folder", sqlite.Options{Path: filepath.Join(dir, "no", "a.db")}, dataknobs.NotFound, []string{"folder", "does not exist"}},
		{"a folder", sqlite.Options{Path: dir}, dataknobs.InvalidArgument, []string{"is a folder"}},
		{"missing, create=false", sqlite.Options{Path: filepath.Join(dir, "a.db"), NoCreate: true}, dataknobs.NotFound, []string{"a.db"}},
		{"missing, read-only", sqlite.Options{Path: filepath.Join(dir, "a.db"), ReadOnly: true}, dataknobs.NotFound, nil},
		{"no database", sqlite.Options{Path: text}, dataknobs.DataLoss, []string{"text.db", "not an SQLite database"}},
		{"no such table", sqlite.Options{Path: several, Table: "peple", NoCreate: true}, dataknobs.NotFound, []string{"did you mean people?"}},
		{"several tables", sqlite.Options{Path: several}, dataknobs.InvalidArgument, []string{"orders, people", "table="}},
		{"wrong key", sqlite.Options{Path: several, Table: "people", Key: []string{"idd"}}, dataknobs.InvalidArgument, []string{"did you mean id?"}},
		{"not a document", sqlite.Options{Path: several, Table: "people", Layout: sqlite.DocumentLayout}, dataknobs.InvalidArgument, []string{"layout"}},
		{"wrong type", sqlite.Options{Path: filepath.Join(dir, "a.db"), Types: []dataknobs.Pair{{Name: "a", Value: "strin"}}}, dataknobs.InvalidArgument, []string{"did you mean string?"}},
		{"NUL", sqlite.Options{Path: "a\x00b"}, dataknobs.InvalidArgument, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := sqlite.New(t.Context(), c.o)
			if err == nil {
				d.Close()
			}
			wantError(t, err, c.code, c.words...)
		})
	}
}

// The first write makes the file and the table; nothing before it does.
func TestMadeByFirstWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?mode=memory#.db")
	var warned []string
	db := open(t, sqlite.Options{Path: path, Warn: func(s string) { warned = append(warned, s) }})
	if n, err := db.Count(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("Count: %d, %v", n, err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "does not exist yet") {
		t.Errorf("warned %q, want once that the file does not exist", warned)
	}
	if err := db.Delete(t.Context(), "a"); !errors.Is(err, dataknobs.NotFound) {
		t.Errorf("Delete: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Errorf("the file exists before the first write")
	}
	put(t, db, "a", dataknobs.F("n", 1))
	if _, err := os.Stat(path); err != nil {
		t.Errorf("after the first write: %v", err)
	}
	other := open(t, sqlite.Options{Path: path, Table: "RECORDS"})
	if r, err := other.Get(t.Context(), "a"); err != nil || r.Get("n").Int() != 1 {
		t.Errorf("Get through another store: %v, %v", r, err)
	}
}

func TestNamelessTable(t *testing.T) {
	for _, c := range []struct {
		name       string
		statements []string
		want       string
	}{
		{"the only table", []string{"create table people (id integer primary key, name)", "create view v as select * from people"}, "people"},
		{"the only view", []string{"create view v as select 1 as id"}, "v"},
		{"records", []string{"create table other (id integer primary key)", "create table records (id integer primary key)"}, "records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t, sqlite.Options{Path: database(t, c.statements...)})
			lines, err := db.Driver().(dataknobs.Explainer).Explain(t.Context(), &dataknobs.Scan{}, nil)
			if err != nil || !strings.Contains(lines[0], `"`+c.want+`"`) {
				t.Errorf("got %q, %v; want the table %s", lines, err, c.want)
			}
		})
	}
}

func TestOpenByURL(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ url, wrong string }{
		{"sqlite:" + dir + "/a.db?table=people&index=city,address.zip&synchronous=off&cache_size=1MiB&mmap=16MiB&pool.max=2", ""},
		{"sqlite3:" + dir + "/b.db?layout=columns&types=name:string,born:date&revision=version", ""},
		{"sqlite::memory:", ""},
		{"sqlite:", "names no file"},
		{"sqlite:" + dir + "/c.db?synchronous=ful", "did you mean full?"},
		{"sqlite:" + dir + "/c.db?tabel=x", "did you mean table?"},
		{"sqlite:" + dir + "/c.db?pool.max=0", "pool.max"},
		{"sqlite:" + dir + "/c.db?index=a..b", "index"},
	} {
		db, err := dataknobs.Open(t.Context(), c.url, nil)
		if err == nil {
			put(t, db, "a")
			db.Close()
		}
		if c.wrong == "" && err != nil || c.wrong != "" && (!errors.Is(err, dataknobs.InvalidArgument) || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("Open(%q): %v; want an error about %q", c.url, err, c.wrong)
		}
	}
}

func fill(t testing.TB, db *dataknobs.DB, n int) {
	t.Helper()
	var recs []*dataknobs.Record
	for i := range n {
		recs = append(recs, dataknobs.NewRecord(string(rune('a'+i%26))+strings.Repeat("x", i%300)+time.Duration(i).String(), dataknobs.F("n", i)))
	}
	if _, err := db.CreateMany(t.Context(), recs); err != nil {
		t.Fatal(err)
	}
}

// A damaged page is DataLoss that names the file, and never an empty answer.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	db := open(t, sqlite.Options{Path: path})
	fill(t, db, 3000)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 4; i < len(b)*3/4; i++ {
		b[i] = byte(i * 7)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	db = open(t, sqlite.Options{Path: path})
	_, err = db.All(t.Context(), &dataknobs.Query{})
	wantError(t, err, dataknobs.DataLoss, "app.db", "damaged")
	if err := os.WriteFile(path, b[:len(b)/2+100], 0o644); err != nil { // cut
		t.Fatal(err)
	}
	d, err := sqlite.New(t.Context(), sqlite.Options{Path: path})
	if err == nil {
		db := dataknobs.New(d, nil)
		_, err = db.All(t.Context(), &dataknobs.Query{})
		db.Close()
	}
	wantError(t, err, dataknobs.DataLoss, "app.db")
}

// Stored JSON that cannot be read is DataLoss that names the record.
func TestDamagedRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	db := open(t, sqlite.Options{Path: path})
	put(t, db, "good")
	put(t, db, "bad")
	run(t, path, `update records set fields = '{"a":' where id = 'bad'`)
	_, err := db.Get(t.Context(), "bad")
	wantError(t, err, dataknobs.DataLoss, `"bad"`)
	if _, err := db.Get(t.Context(), "good"); err != nil {
		t.Error(err)
	}
}

// What another program writes gets a new revision.
func TestForeignWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	db := open(t, sqlite.Options{Path: path})
	put(t, db, "a", dataknobs.F("n", 1))
	before, _ := db.Get(t.Context(), "a")
	run(t, path, `update records set fields = json_set(fields, '$.n', 2)`)
	after, err := db.Get(t.Context(), "a")
	if err != nil || after.Get("n").Int() != 2 || after.Revision == before.Revision {
		t.Errorf("got %v, revision %s, %v; the revision was %s", after, after.Revision, err, before.Revision)
	}
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	db := open(t, sqlite.Options{Path: path, Busy: 30 * time.Millisecond})
	put(t, db, "a", dataknobs.F("n", 1))
	other := run(t, path, "begin immediate")
	_, err := db.Put(t.Context(), dataknobs.NewRecord("b"))
	wantError(t, err, dataknobs.Unavailable, "locked", "busy_timeout")
	if _, err := db.Get(t.Context(), "a"); err != nil {
		t.Errorf("a read while another program writes: %v", err)
	}
	patient := open(t, sqlite.Options{Path: path})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := patient.Put(ctx, dataknobs.NewRecord("b")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the lock: %v, want the context's error", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it waited %s after the deadline", took)
	}
	if err := other.Exec("rollback"); err != nil {
		t.Fatal(err)
	}
	put(t, db, "b")
}

// A full disk is ResourceExhausted, with nothing of the batch applied.
func TestFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a small file system")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small file system: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	db := open(t, sqlite.Options{Path: filepath.Join(dir, "app.db")})
	put(t, db, "a", dataknobs.F("n", 1))
	var recs []*dataknobs.Record
	for i := range 2000 {
		recs = append(recs, dataknobs.NewRecord("r"+time.Duration(i).String(), dataknobs.F("text", strings.Repeat("long ", 400))))
	}
	_, err := db.CreateMany(t.Context(), recs, dataknobs.Atomic())
	wantError(t, err, dataknobs.ResourceExhausted, "app.db", "full")
	_, err = db.Load(t.Context(), func(yield func(*dataknobs.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}, nil)
	wantError(t, err, dataknobs.ResourceExhausted, "app.db")
	if n, err := db.Count(t.Context(), nil); n != 1 || err != nil {
		t.Errorf("after the failed batch there are %d records, %v; want 1", n, err)
	}
	put(t, db, "b", dataknobs.F("n", 2))
}

func TestReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		nobody.Run(t)
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "app.db")
	db := open(t, sqlite.Options{Path: path})
	put(t, db, "a", dataknobs.F("n", 1))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T) {
		db := open(t, sqlite.Options{Path: path})
		if r, err := db.Get(t.Context(), "a"); err != nil || r.Get("n").Int() != 1 {
			t.Errorf("Get: %v, %v", r, err)
		}
		_, err := db.Put(t.Context(), dataknobs.NewRecord("b"))
		if err == nil || !errors.Is(err, dataknobs.PermissionDenied) && !errors.Is(err, dataknobs.Unsupported) {
			t.Errorf("Put: %v, want PermissionDenied", err)
		}
	}
	chmod := func(t *testing.T, name string, mode os.FileMode) {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("file", func(t *testing.T) {
		chmod(t, path, 0o444)
		defer chmod(t, path, 0o644)
		check(t)
	})
	t.Run("folder", func(t *testing.T) {
		chmod(t, dir, 0o555)
		defer chmod(t, dir, 0o755)
		check(t)
	})
	t.Run("file and folder", func(t *testing.T) {
		chmod(t, path, 0o444)
		chmod(t, dir, 0o555)
		defer chmod(t, path, 0o644)
		defer chmod(t, dir, 0o755)
		check(t)
	})
	t.Run("nothing allowed", func(t *testing.T) {
		chmod(t, path, 0)
		defer chmod(t, path, 0o644)
		_, err := sqlite.New(t.Context(), sqlite.Options{Path: path})
		wantError(t, err, dataknobs.PermissionDenied, "app.db")
	})
}

// The mode of the file stays, a link stays a link, and the files beside it lie
// beside the file, not beside the link.
func TestLinkAndMode(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	real, link := filepath.Join(dir, "data", "app.db"), filepath.Join(dir, "link.db")
	if err := os.Symlink(filepath.Join("data", "app.db"), link); err != nil {
		t.Skip(err)
	}
	db := open(t, sqlite.Options{Path: link}) // a link to what is not there yet
	put(t, db, "a")
	if err := os.Chmod(real, 0o640); err != nil {
		t.Fatal(err)
	}
	put(t, db, "b")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v, %v; want 0640", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*-*")); len(left) > 0 {
		t.Errorf("left beside the link: %q", left)
	}
	if left, _ := filepath.Glob(real + "-*"); len(left) > 0 {
		t.Errorf("left after Close: %q", left)
	}
}

// Options cannot smuggle SQL in.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{`a"b`, `x; drop table y`, "'", "`", "[t]", "--", "é 表", "a.b", "select", "$x", "?", "%"} {
		path := filepath.Join(t.TempDir(), "app.db")
		db := open(t, sqlite.Options{Path: path, Table: name})
		put(t, db, "a", dataknobs.F("n", 1))
		if n, err := db.Count(t.Context(), &dataknobs.Cond{Path: dataknobs.P("n"), Op: dataknobs.Eq, Args: []dataknobs.Value{dataknobs.Int(1)}}); n != 1 || err != nil {
			t.Errorf("table %q: %d records, %v", name, n, err)
		}
	}
}

// A file that is gone is Unavailable, not written to where nobody sees it.
func TestMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	db := open(t, sqlite.Options{Path: path, KeepMode: true})
	put(t, db, "a")
	if err := os.Remove(path); err != nil {
		t.Skip(err)
	}
	_, err := db.Put(t.Context(), dataknobs.NewRecord("b"))
	wantError(t, err, dataknobs.Unavailable, "moved or deleted")
}

// An open scan at Close is reported, and ends.
func TestCloseWhileScanning(t *testing.T) {
	db := open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "app.db")})
	fill(t, db, 100)
	for _, err := range db.Run(t.Context(), &dataknobs.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, db.Driver().Close(), dataknobs.Unavailable, "1 scan")
		break
	}
}

func TestPool(t *testing.T) {
	db := open(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "app.db"), Pool: sqlite.PoolOptions{Max: 2, AcquireTimeout: 20 * time.Millisecond}})
	fill(t, db, 100)
	pooler := db.Driver().(dataknobs.Pooler)
	for range db.Run(t.Context(), &dataknobs.Query{}) {
		for range db.Run(t.Context(), &dataknobs.Query{}) {
			_, err := db.Get(t.Context(), "a")
			wantError(t, err, dataknobs.Unavailable, "pool.max", "2 scans are open")
			if s := pooler.PoolStats(); s.InUse != 2 || s.Waits != 1 || s.Failed != 1 {
				t.Errorf("statistics in use: %+v", s)
			}
			break
		}
		break
	}
	if _, err := db.Get(t.Context(), "x"); !errors.Is(err, dataknobs.NotFound) {
		t.Errorf("Get once they are free: %v", err)
	}
	if s := pooler.PoolStats(); s.InUse != 0 || s.Open != 2 {
		t.Errorf("statistics at rest: %+v", s)
	}
}
