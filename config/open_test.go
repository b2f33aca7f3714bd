package config_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
)

func TestAStoreIsOpenedOnceAndShared(t *testing.T) {
	c := mustLoad(t, "databases: {a: {backend: memory}}")
	var wg sync.WaitGroup
	dbs := make([]*dataknobs.DB, 20)
	for i := range dbs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			db, err := c.Open(context.Background(), "a")
			if err != nil {
				t.Error(err)
			}
			dbs[i] = db
		}()
	}
	wg.Wait()
	for _, db := range dbs {
		if db != dbs[0] || db == nil {
			t.Fatal("two instances")
		}
	}
	if dbs[0].Name() != "a" {
		t.Errorf("it is called %q", dbs[0].Name())
	}
	again, err := config.Get[*dataknobs.DB](t.Context(), c, "databases", "a")
	if err != nil || again != dbs[0] {
		t.Errorf("Get: %v, %v", again, err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	c := mustLoad(t, `databases:
  main: {backend: postgres, table: t, password: '${DB_PASSWORD}'}
  other: {backend: nosuch}
  well: {backend: memory}
`)
	for name, want := range map[string]string{
		"mian":  "did you mean main?",
		"zzz":   "there are main, other, well",
		"main":  "dk.yaml:2:49: databases.main.password: the variable DB_PASSWORD is not set",
		"other": "there is no kind of store called \"nosuch\"",
	} {
		_, err := c.Open(t.Context(), name)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		contains(t, err.Error(), want)
	}
	if _, err := c.Open(t.Context(), "mian"); dataknobs.CodeOf(err) != dataknobs.NotFound {
		t.Errorf("code of a missing name: %v", dataknobs.CodeOf(err))
	}
	// What the environment lacks for one store is nothing to the others.
	if _, err := c.Open(t.Context(), "well"); err != nil {
		t.Error(err)
	}
}

func TestOptionsOfTheCallerComeFirst(t *testing.T) {
	dir := t.TempDir()
	c := mustLoad(t, "databases: {a: {backend: file, path: "+dir+"/x.csv, readonly: true}, b: {backend: file}}")
	db, err := c.OpenOwn(t.Context(), "b", &dataknobs.Options{Params: map[string]string{"path": filepath.Join(dir, "y.ndjson")}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Create(t.Context(), dataknobs.NewRecord("1", dataknobs.F("a", 1))); err != nil {
		t.Error(err)
	}
	ro, err := c.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ro.Create(t.Context(), dataknobs.NewRecord("1", dataknobs.F("a", 1))); dataknobs.CodeOf(err) != dataknobs.PermissionDenied {
		t.Errorf("readonly: %v", err)
	}
	if _, err := c.OpenOwn(t.Context(), "b", &dataknobs.Options{Params: map[string]string{"paht": "x"}}); err == nil {
		t.Error("an unknown option is taken")
	}
}

func TestRelativePathsStartFromTheFolderOfTheFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "data", "p.ndjson"), `{"a": 1}`+"\n")
	path := write(t, filepath.Join(dir, "dk.yaml"), "databases: {a: {backend: file, path: data/p.ndjson}}")
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	db, err := c.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := db.Count(t.Context(), nil); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestLayersAreAppliedInOrder(t *testing.T) {
	// The fault fails the first calls; a retry outside it repeats them, one inside does not.
	for text, ok := range map[string]bool{
		"[{retry: {attempts: 5, pause: 1ms}}, {fault: {rules: get times=2 fail=unavailable}}]": true,
		"[{fault: {rules: get times=2 fail=unavailable}}, {retry: {attempts: 5, pause: 1ms}}]": false,
	} {
		c := mustLoad(t, "databases: {a: {backend: memory, layers: "+text+"}}")
		db, err := c.Open(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.Get(t.Context(), "x")
		if got := errors.Is(err, dataknobs.NotFound); got != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	c := mustLoad(t, "databases: {a: {backend: memory, layers: [readonly]}, b: {backend: memory, layers: readonly}, c: {backend: memory, layers: {readonly: true}}, d: {backend: memory, layers: {readonly: false}}}")
	for name, denied := range map[string]bool{"a": true, "b": true, "c": true, "d": false} {
		db, err := c.Open(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = db.Create(t.Context(), dataknobs.NewRecord("1", dataknobs.F("a", 1)))
		if (err != nil) != denied {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A thing notes when it is closed.
type thing struct {
	name   string
	closed *[]string
	err    error
}

func (x *thing) Close() error {
	*x.closed = append(*x.closed, x.name)
	return x.err
}

func TestCloseClosesEverythingOnceInReverse(t *testing.T) {
	c, err := config.New(&config.Options{Environ: []string{}, Sources: []config.Source{{Name: "a.yaml", Data: []byte(`
things: {a: {}, b: {}, c: {}}
databases: {m: {backend: memory}}
`)}}})
	if err != nil {
		t.Fatal(err)
	}
	var closed []string
	c.RegisterFactory("thing", func(_ context.Context, s *config.Section) (any, error) {
		return &thing{s.Name, &closed, fmt.Errorf("bad %s", s.Name)}, nil
	})
	for _, name := range []string{"b", "a", "b", "c"} {
		if _, err := config.Get[*thing](t.Context(), c, "things", name); err != nil {
			t.Fatal(err)
		}
	}
	db, err := c.Open(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	err = c.Close()
	if got := strings.Join(closed, " "); got != "c a b" {
		t.Errorf("closed %s", got)
	}
	if err == nil || strings.Count(err.Error(), "bad ") != 3 {
		t.Errorf("errors: %v", err)
	}
	if err := c.Close(); err != nil || len(closed) != 3 {
		t.Errorf("again: %v, %v", err, closed)
	}
	if _, err := db.Get(t.Context(), "x"); dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
		t.Errorf("the store is open: %v", err)
	}
	if _, err := c.Open(t.Context(), "m"); dataknobs.CodeOf(err) != dataknobs.InvalidArgument {
		t.Errorf("open after close: %v", err)
	}
}

func TestAFailureIsNotKept(t *testing.T) {
	c := mustLoad(t, "things: {a: {}}")
	n := 0
	c.RegisterFactory("thing", func(context.Context, *config.Section) (any, error) {
		if n++; n < 3 {
			return nil, errors.New("not yet")
		}
		return n, nil
	})
	for range 2 {
		if _, err := config.Get[int](t.Context(), c, "things", "a"); err == nil {
			t.Fatal("no error")
		}
	}
	for range 2 {
		if v, err := config.Get[int](t.Context(), c, "things", "a"); v != 3 || err != nil {
			t.Errorf("got %v, %v", v, err)
		}
	}
}

func TestOneCallerGivingUpDoesNotFailTheOthers(t *testing.T) {
	c := mustLoad(t, "things: {a: {}}")
	started, n := make(chan struct{}), 0
	c.RegisterFactory("thing", func(ctx context.Context, _ *config.Section) (any, error) {
		if n++; n > 1 {
			return "made", nil
		}
		close(started)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	first, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 1)
	go func() {
		_, err := config.Get[string](first, c, "things", "a")
		errs <- err
	}()
	<-started
	done := make(chan string, 1)
	go func() {
		v, _ := config.Get[string](t.Context(), c, "things", "a")
		done <- v
	}()
	cancel()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("first: %v", err)
	}
	if v := <-done; v != "made" {
		t.Errorf("second: %q", v)
	}
}

func TestHealth(t *testing.T) {
	dir := t.TempDir()
	c := mustLoad(t, `databases:
  good: {backend: memory}
  bad: {backend: sqlite, path: `+write(t, filepath.Join(dir, "x.db"), strings.Repeat("no database", 100))+`, table: t}
  unset: {backend: file, path: '${NONE}'}
`)
	if h := c.Health(t.Context()); len(h) != 0 {
		t.Errorf("nothing is open, but got %v", h)
	}
	h := c.Health(t.Context(), "good", "bad", "unset", "none")
	if h[0].Err != nil || h[0].Code != 0 || h[0].Backend != "memory" {
		t.Errorf("good: %+v", h[0])
	}
	if h[1].Err == nil || h[1].Code == 0 {
		t.Errorf("bad: %+v", h[1])
	}
	if h[2].Code != dataknobs.InvalidArgument || h[3].Code != dataknobs.NotFound {
		t.Errorf("unset: %+v, none: %+v", h[2], h[3])
	}
	if h := c.Health(t.Context()); len(h) < 1 || h[0].Name != "good" {
		t.Errorf("open ones: %v", h)
	}
}

func TestReloadLeavesRunningWorkAlone(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "dk.yaml"), "databases: {a: {backend: memory}, b: {backend: memory}}")
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a, err := c.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := c.Open(t.Context(), "b")
	for i := range 10 {
		if _, err := a.Create(t.Context(), dataknobs.NewRecord(fmt.Sprint(i), dataknobs.F("n", i))); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, err := range a.Run(t.Context(), &dataknobs.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n != 3 {
			continue
		}
		write(t, path, "databases: {a: {backend: memory, max_records: 5}, b: {backend: memory}, c: {backend: memory}}")
		if r := c.Reload(); r.Err != nil || strings.Join(r.Changed, " ") != "a c" {
			t.Fatalf("reload: %+v", r)
		}
		runtime.GC()
	}
	if n != 10 {
		t.Errorf("the query came to %d records", n)
	}
	fresh, err := c.Open(t.Context(), "a")
	if err != nil || fresh == a {
		t.Errorf("no new instance: %v", err)
	}
	if same, _ := c.Open(t.Context(), "b"); same != b {
		t.Error("a store that has not changed was opened anew")
	}
	if got, err := a.Get(t.Context(), "7"); got == nil || err != nil {
		t.Errorf("the old instance: %v", err)
	}
	// What is wrong changes nothing.
	write(t, path, "databases: {a: {backend: memroy}}\nx: [\n")
	if r := c.Reload(); r.Err == nil {
		t.Error("a broken file was taken")
	}
	if same, err := c.Open(t.Context(), "a"); same != fresh || err != nil {
		t.Errorf("after a broken file: %v", err)
	}
}

func TestAnOldInstanceIsClosedWhenNobodyHoldsIt(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "dk.yaml"), "databases: {a: {backend: closing}}")
	closed := make(chan struct{})
	dataknobsClosed = func() { close(closed) }
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	db, err := c.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "databases: {a: {backend: memory}}")
	if r := c.Reload(); r.Err != nil {
		t.Fatal(r.Err)
	}
	runtime.GC()
	select {
	case <-closed:
		t.Fatal("closed while it is held")
	default:
	}
	_ = db.Name() // held up to here
	for {
		runtime.GC()
		select {
		case <-closed:
			return
		case <-t.Context().Done():
			t.Fatal("not closed")
		default:
			runtime.Gosched()
		}
	}
}

// dataknobsClosed is told when a store of the backend closing is closed.
var dataknobsClosed func()

type closingDriver struct{ dataknobs.Driver }

func (d closingDriver) Close() error {
	dataknobsClosed()
	return d.Driver.Close()
}

func init() {
	dataknobs.Register(&dataknobs.Backend{
		Name: "closing", Summary: "tells a test when it is closed",
		Open: func(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
			b, err := dataknobs.LookupBackend("memory")
			if err != nil {
				return nil, err
			}
			own, err := dataknobs.NewConfig(b, "", nil, c.Warn)
			if err != nil {
				return nil, err
			}
			d, err := b.Open(ctx, own)
			return closingDriver{d}, err
		},
	})
}

func TestWatchReloadsWhatChanges(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, filepath.Join(dir, "secrets", "s"), "one")
	path := write(t, filepath.Join(dir, "dk.yaml"), "databases: {a: {backend: memory}, p: {backend: postgres, table: t, password: '${file:"+secret+"}'}}")
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	reloads, done := make(chan config.Reload), make(chan error, 1)
	go func() {
		done <- c.Watch(ctx, func(r config.Reload) {
			select {
			case reloads <- r:
			case <-ctx.Done():
			}
		})
	}()
	next := func(change func(), ok func(config.Reload) bool) {
		t.Helper()
		change()
		for {
			select {
			case r := <-reloads:
				if ok(r) {
					return
				}
			case <-ctx.Done():
				t.Fatal("no reload")
			}
		}
	}
	next(func() {
		replace(t, path, "databases: {a: {backend: memory, max_records: 1}, p: {backend: postgres, table: t, password: '${file:"+secret+"}'}}")
	},
		func(r config.Reload) bool { return r.Err == nil && strings.Join(r.Changed, " ") == "a" })
	next(func() { write(t, path, "databases: [") }, func(r config.Reload) bool { return r.Err != nil })
	next(func() {
		write(t, path, "databases: {p: {backend: postgres, table: t, password: '${file:"+secret+"}'}}")
	},
		func(r config.Reload) bool { return r.Err == nil && strings.Join(r.Changed, " ") == "a" })
	next(func() { replace(t, secret, "two") }, func(r config.Reload) bool { return strings.Join(r.Changed, " ") == "p" })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("watch: %v", err)
	}
}
