package file

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"dataknobs.dev/dataknobs"
)

// journalOf makes a store whose journal holds a few records, and returns its
// path and what it holds after each frame.
func journalOf(t testing.TB) (path string, states []map[string]int64) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s.csv")
	if err := os.WriteFile(path, []byte("id,n\nold,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := New(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, nil)
	now := map[string]int64{"old": 1}
	states = append(states, maps.Clone(now))
	for i, id := range []string{"a", "b", "c"} {
		if _, err := db.Create(t.Context(), dataknobs.NewRecord(id, dataknobs.F("n", i))); err != nil {
			t.Fatal(err)
		}
		now[id] = int64(i)
		states = append(states, maps.Clone(now))
	}
	// As if the process had been killed.
	text, err := os.ReadFile(path + journalExt)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if err := os.WriteFile(path, []byte("id,n\nold,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(path + sideExt)
	if err := os.WriteFile(path+journalExt, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, states
}

// stateOf reads a store; it writes nothing.
func stateOf(ctx context.Context, path string) (map[string]int64, error) {
	d, err := New(ctx, Options{Path: path})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	got := map[string]int64{}
	for r, err := range d.Scan(ctx, &dataknobs.Scan{}) {
		if err != nil {
			return nil, err
		}
		got[r.ID] = r.Get("n").Int()
	}
	return got, nil
}

// A damaged journal is never read as something else: every flipped byte is
// DataLoss that names the file and the place, and nothing is written.
func TestEveryFlippedByte(t *testing.T) {
	path, states := journalOf(t)
	name := path + journalExt
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := stateOf(t.Context(), path); err != nil || !maps.Equal(got, states[3]) {
		t.Fatalf("the whole journal: got %v, %v; wanted %v", got, err, states[3])
	}
	for i := range whole {
		bad := bytes.Clone(whole)
		bad[i] ^= 0x55
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := stateOf(t.Context(), path)
		if dataknobs.CodeOf(err) != dataknobs.DataLoss || !bytes.Contains([]byte(err.Error()), []byte(".journal")) {
			t.Errorf("byte %d flipped: got %v, error %v; wanted DataLoss naming the journal", i, got, err)
		}
		if now, _ := os.ReadFile(name); !bytes.Equal(now, bad) {
			t.Fatalf("byte %d flipped: the journal was written to", i)
		}
	}
}

// A journal cut anywhere keeps the frames that are whole, and goes on from there.
func TestEveryCut(t *testing.T) {
	path, states := journalOf(t)
	name := path + journalExt
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at := 0 // how many writes were whole at the cut before
	for n := range whole {
		if err := os.WriteFile(name, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := stateOf(t.Context(), path)
		if err != nil {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		for at < 3 && maps.Equal(got, states[at+1]) {
			at++
		}
		if !maps.Equal(got, states[at]) {
			t.Fatalf("cut to %d bytes: got %v, wanted %v", n, got, states[at])
		}
	}
	if at != 2 {
		t.Errorf("with the last byte missing %d writes were read, wanted 2", at)
	}
	// A writer cuts the tail and goes on.
	d, err := New(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, nil)
	if _, err := db.Create(t.Context(), dataknobs.NewRecord("z", dataknobs.F("n", 7))); err != nil {
		t.Fatal(err)
	}
	states[2]["z"] = 7
	if got, err := stateOf(t.Context(), path); err != nil || !maps.Equal(got, states[2]) {
		t.Errorf("another reader: got %v, %v; wanted %v", got, err, states[2])
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := stateOf(t.Context(), path); err != nil || !maps.Equal(got, states[2]) {
		t.Errorf("after folding: got %v, %v; wanted %v", got, err, states[2])
	}
}

// A journal is never applied to another file than its own.
func TestJournalOfAnotherFile(t *testing.T) {
	path, _ := journalOf(t)
	if err := os.WriteFile(path, []byte("id,n\nother,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := stateOf(t.Context(), path)
	if dataknobs.CodeOf(err) != dataknobs.DataLoss {
		t.Errorf("got %v, wanted DataLoss", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "id,n\nother,1\n" {
		t.Errorf("the file was changed to %q", text)
	}
}

func FuzzJournal(f *testing.F) {
	path, _ := journalOf(f)
	whole, err := os.ReadFile(path + journalExt)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(journalMagic))
	f.Fuzz(func(t *testing.T, text []byte) {
		j := &journal{name: "f.journal"}
		file := bytes.NewReader(text)
		err := j.begin(file)
		if err == nil {
			err = j.replay(file, newOverlay().apply)
		}
		if err != nil && dataknobs.CodeOf(err) != dataknobs.DataLoss {
			t.Errorf("got %v, wanted DataLoss or nothing", err)
		}
		if j.end > int64(len(text)) {
			t.Errorf("the journal ends at %d, behind its %d bytes", j.end, len(text))
		}
	})
}
