package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
	_ "dataknobs.dev/dataknobs/driver/all"
	"dataknobs.dev/dataknobs/driver/memory"
	"dataknobs.dev/dataknobs/internal/hostile"
	"dataknobs.dev/dataknobs/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

// What one input may cost at most, whatever it is. The heap is its peak over
// what there was before, garbage included: a record may have 64 MiB.
const (
	mostHeap = 512 << 20
	mostTime = slower * 20 * time.Second
)

// A taker gives an input to what reads it, and says what came of it.
type taker func(t *testing.T, c hostile.Case, input string) (answer string, err error)

// takers are what reads each class, by its name.
var takers = map[string]taker{
	"JSON files": readFile, "lines of JSON": readFile, "CSV files": readFile, "Parquet files": readFile, "compressed files": readFile,
	"query texts": parse, "queries as JSON": parseJSON, "page tokens": page, "encoded records": decode,
	"configurations": configure, "store URLs": open, "record IDs": nil, "field names": nil,
}

// Every input gets what its case says, within the bounds.
func TestEveryInputIsAnsweredOrRefused(t *testing.T) {
	for _, class := range hostile.Classes() {
		take, ok := takers[class.Name]
		if !ok {
			t.Errorf("nobody reads the class %s", class.Name)
		}
		if take == nil {
			continue // by the stores: see below
		}
		t.Run(class.Name, func(t *testing.T) {
			for _, c := range class.Cases {
				input := c.Make()
				if len(input) <= largest && (bombs || !strings.Contains(c.Name, "bomb")) {
					t.Run(c.Name, func(t *testing.T) { try(t, c, take, input) })
				}
			}
		})
	}
}

func try(t *testing.T, c hostile.Case, take taker, input string) {
	if testing.Short() && len(input) > 8<<20 {
		t.Skip("a large input")
	}
	var answer string
	var err error
	peak, took := hostile.Cost(func() { answer, err = take(t, c, input) })
	got := ""
	if err != nil {
		got = dataknobs.CodeOf(err).Error()
	}
	if got != c.Want || c.Want == "" && answer != c.Answer {
		t.Errorf("%.80q: got %q, %.300v; wanted %q and the code %q", input, answer, err, c.Answer, c.Want)
	}
	if err != nil && (len(err.Error()) > 4000 || strings.Contains(err.Error(), "hush")) {
		t.Errorf("%.80q: the error has %d bytes, or shows the password: %.300v", input, len(err.Error()), err)
	}
	if peak > mostHeap || took > mostTime {
		t.Errorf("%.80q: took %d MiB and %v; allowed are %d MiB and %v", input, peak>>20, took, mostHeap>>20, mostTime)
	}
	if testing.Verbose() {
		t.Logf("%.60q: %q, %.150v; %d MiB, %v", input, answer, err, peak>>20, took.Round(time.Millisecond))
	}
}

// readFile reads every record of a file. A file that was refused is not
// changed by a write that follows.
func readFile(t *testing.T, c hostile.Case, input string) (string, error) {
	path := filepath.Join(t.TempDir(), c.File)
	if err := os.WriteFile(path, []byte(input), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := records(t.Context(), path)
	if err == nil {
		return fmt.Sprint(n), nil
	}
	if writeInto(t.Context(), path) == nil {
		t.Errorf("a record was written into what could not be read (%v)", err)
	}
	if now, _ := os.ReadFile(path); string(now) != input {
		t.Errorf("the file was changed to %.100q", now)
	}
	return "", err
}

func records(ctx context.Context, path string) (int, error) {
	db, err := dataknobs.Open(ctx, path, nil)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	n := 0
	for _, err := range db.Run(ctx, &dataknobs.Query{}) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func writeInto(ctx context.Context, path string) error {
	db, err := dataknobs.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	_, err = db.Put(ctx, dataknobs.NewRecord("new", dataknobs.F("a", 1)))
	return errors.Join(err, db.Close())
}

// parse reads a query and asks it.
func parse(t *testing.T, _ hostile.Case, input string) (string, error) {
	q, err := dataknobs.Parse(input)
	if err != nil {
		return "", err
	}
	return "a query", ask(t, q)
}

func ask(t *testing.T, q *dataknobs.Query) error {
	db := dataknobs.New(memory.New(memory.Options{}), nil)
	defer db.Close()
	if _, err := db.Put(t.Context(), dataknobs.NewRecord("x", dataknobs.F("a", strings.Repeat("a", 10_000)))); err != nil {
		t.Fatal(err)
	}
	_, err := db.All(t.Context(), q)
	return err
}

func parseJSON(t *testing.T, _ hostile.Case, input string) (string, error) {
	var q dataknobs.Query
	if err := q.UnmarshalJSON([]byte(input)); err != nil {
		return "", err
	}
	return "a query", ask(t, &q)
}

func page(t *testing.T, _ hostile.Case, input string) (string, error) {
	db := dataknobs.New(memory.New(memory.Options{}), nil)
	defer db.Close()
	_, err := db.Page(t.Context(), &dataknobs.Query{After: input})
	return "a page", err
}

func decode(_ *testing.T, _ hostile.Case, input string) (string, error) {
	_, _, err := dataknobs.DecodeValue([]byte(input))
	if _, _, e := dataknobs.DecodeRecord([]byte(input)); err != nil && e == nil {
		return "a record", nil
	}
	return "a value", err
}

func configure(_ *testing.T, c hostile.Case, input string) (string, error) {
	_, faults, err := config.Inspect(&config.Options{Sources: []config.Source{{Name: c.File, Data: []byte(input)}}, Environ: []string{}})
	if err == nil && len(faults) > 0 {
		err = faults
	}
	return "a configuration", err
}

func open(t *testing.T, _ hostile.Case, input string) (string, error) {
	t.Chdir(t.TempDir())
	db, err := dataknobs.Open(t.Context(), input, nil)
	if err != nil {
		return "", err
	}
	return "the store " + db.Name(), db.Close()
}
