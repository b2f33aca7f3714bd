package file_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
)

func open(t testing.TB, o file.Options) *dataknobs.DB {
	t.Helper()
	d, err := file.New(t.Context(), o)
	if err != nil {
		t.Fatalf("open %s: %v", o.Path, err)
	}
	db := dataknobs.New(d, nil)
	t.Cleanup(func() { db.Close() })
	return db
}

func create(t testing.TB, db *dataknobs.DB, id string, fields ...dataknobs.Field) {
	t.Helper()
	if _, err := db.Create(t.Context(), dataknobs.NewRecord(id, fields...)); err != nil {
		t.Fatalf("create %s in %s: %v", id, db.Name(), err)
	}
}

func closeStore(t testing.TB, db *dataknobs.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatalf("close %s: %v", db.Name(), err)
	}
}

func wantCode(t testing.TB, err error, code dataknobs.Code, parts ...string) {
	t.Helper()
	if dataknobs.CodeOf(err) != code {
		t.Fatalf("got error %v (code %v), wanted code %v", err, dataknobs.CodeOf(err), code)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("got error %q, wanted it to say %q", err, p)
		}
	}
}

func all(t testing.TB, db *dataknobs.DB, query string) []string {
	t.Helper()
	var out []string
	for r, err := range db.Query(t.Context(), query) {
		if err != nil {
			t.Fatalf("query %q of %s: %v", query, db.Name(), err)
		}
		out = append(out, string(r.Fields.AppendJSON(nil)))
	}
	return out
}

func wantAll(t testing.TB, db *dataknobs.DB, query string, want ...string) {
	t.Helper()
	if got := all(t, db, query); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("query %q of %s:\n got    %s\n wanted %s", query, db.Name(), strings.Join(got, "\n        "), strings.Join(want, "\n        "))
	}
}

func files(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.csv")
	link := filepath.Join(dir, "link.csv")
	write(t, path, "id,n\na,1\n")
	if err := os.Symlink("p.csv", link); err != nil {
		t.Skip(err)
	}
	one, two := open(t, file.Options{Path: path}), open(t, file.Options{Path: link})
	create(t, one, "b", dataknobs.F("n", 2))

	// The lock is that of the file, whatever name it is opened by.
	_, err := two.Create(t.Context(), dataknobs.NewRecord("c", dataknobs.F("n", 3)))
	wantCode(t, err, dataknobs.Unavailable, "process", "is being written by")

	// A handle that only reads takes no lock and sees what was acknowledged.
	wantAll(t, two, "select id, n", `{"id":"a","n":1}`, `{"id":"b","n":2}`)
	create(t, one, "d", dataknobs.F("n", 4))
	wantAll(t, two, "select n where id = 'd'", `{"n":4}`)

	closeStore(t, one)
	create(t, two, "c", dataknobs.F("n", 3))
	wantAll(t, two, "select id, n", `{"id":"a","n":1}`, `{"id":"b","n":2}`, `{"id":"d","n":4}`, `{"id":"c","n":3}`)
	closeStore(t, two)
	if got, want := files(t, dir), "link.csv p.csv p.csv.dk.json"; got != want {
		t.Errorf("the folder holds %q, wanted %q", got, want)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	if got, want := read(t, path), "id,n\na,1\nb,2\nd,4\nc,3\n"; got != want {
		t.Errorf("the file holds %q, wanted %q", got, want)
	}
}

func TestPermissionsAreKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.csv")
	write(t, path, "id,n\na,1\n")
	for _, mode := range []os.FileMode{0o640, 0o664, 0o600} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		db := open(t, file.Options{Path: path})
		if _, err := db.Put(t.Context(), dataknobs.NewRecord("a", dataknobs.F("n", int(mode)))); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path + ".journal"); err != nil || info.Mode().Perm()&^mode != 0 {
			t.Errorf("the journal of a file of mode %v has mode %v (%v)", mode, info.Mode().Perm(), err)
		}
		closeStore(t, db)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("after a fold the file has mode %v (%v), wanted %v", info.Mode().Perm(), err, mode)
		}
	}
}

func TestReadingWritesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.json")
	write(t, path, `[{"id": "a", "n": 1}]`)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil { // a folder that refuses new files must load
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	db := open(t, file.Options{Path: path})
	wantAll(t, db, "n = 1", `{"id":"a","n":1}`)
	if os.Getuid() != 0 { // root may write everywhere
		_, err := db.Create(t.Context(), dataknobs.NewRecord("b"))
		wantCode(t, err, dataknobs.PermissionDenied)
	}
	closeStore(t, db)
	after, err := os.Stat(path)
	if err != nil || !after.ModTime().Equal(before.ModTime()) || files(t, dir) != "p.json" {
		t.Errorf("reading changed something: %v, %v, folder %q", after, err, files(t, dir))
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new.csv")
	db := open(t, file.Options{Path: path})
	_, err := db.Count(t.Context(), nil)
	wantCode(t, err, dataknobs.NotFound, "no such file")
	create(t, db, "a", dataknobs.F("n", 1))
	wantAll(t, db, "", `{"n":1}`)
	closeStore(t, db)

	_, err = file.New(t.Context(), file.Options{Path: filepath.Join(dir, "none.csv"), Create: file.CreateNever})
	wantCode(t, err, dataknobs.NotFound)
	_, err = file.New(t.Context(), file.Options{Path: filepath.Join(dir, "none", "x.csv")})
	wantCode(t, err, dataknobs.NotFound, "folder")
}

func TestCancelled(t *testing.T) {
	db := open(t, file.Options{Path: filepath.Join(t.TempDir(), "new.csv")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Create(ctx, dataknobs.NewRecord("a")); !dataknobs.IsContext(err) {
		t.Errorf("create under a cancelled context: got %v", err)
	}
}

// A file that is touched meanwhile is the same file; one that is edited is left
// alone, and the journal keeps what was acknowledged.
func TestChangedByAnotherProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.csv")
	write(t, path, "id,n\na,1\n")
	db := open(t, file.Options{Path: path})
	create(t, db, "b", dataknobs.F("n", 2))
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	closeStore(t, db)
	db = open(t, file.Options{Path: path})
	wantAll(t, db, "select n", `{"n":1}`, `{"n":2}`)
	create(t, db, "c", dataknobs.F("n", 3))
	write(t, path, "id,n\nz,9\n")
	wantCode(t, db.Close(), dataknobs.Conflict, "changed by another program")
	if got, want := read(t, path), "id,n\nz,9\n"; got != want {
		t.Errorf("the file holds %q, wanted %q", got, want)
	}
	_, err := file.New(t.Context(), file.Options{Path: path})
	wantCode(t, err, dataknobs.DataLoss, "p.csv.journal")
	write(t, path, "id,n\na,1\nb,2\n") // put back as it was
	wantAll(t, open(t, file.Options{Path: path}), "select n", `{"n":1}`, `{"n":2}`, `{"n":3}`)
}
