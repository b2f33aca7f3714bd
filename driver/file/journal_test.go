package file

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/hostile"
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
	text = text[:d.st.jrnl.end] // without the zeros behind
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

// A roomyJournal is a journal with zeros behind its frames, as a writer that is
// killed leaves it.
type roomyJournal struct {
	path   string
	text   []byte
	ends   []int64 // of the frames
	states []map[string]int64
}

func roomy(t *testing.T) *roomyJournal {
	j := &roomyJournal{path: filepath.Join(t.TempDir(), "s.ndjson")}
	d, err := New(t.Context(), Options{Path: j.path})
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, nil)
	now := map[string]int64{}
	for i, size := range []int{10, 700, 1500} {
		id := string(rune('a' + i))
		rec := dataknobs.NewRecord(id, dataknobs.F("n", i), dataknobs.F("text", strings.Repeat("x", size)))
		if _, err := db.Create(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		now[id] = int64(i)
		j.ends, j.states = append(j.ends, d.st.jrnl.end), append(j.states, maps.Clone(now))
	}
	if j.text, err = os.ReadFile(j.path + journalExt); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if room := int64(len(j.text)) - j.ends[2]; room <= 0 {
		t.Fatalf("there are %d bytes behind the frames; wanted some", room)
	}
	return j
}

// without returns the journal without some of the sectors of [from, to), the
// bits of mask, and in how many they stand.
func (j *roomyJournal) without(from, to int64, mask int) (text []byte, sectors int) {
	text = bytes.Clone(j.text)
	for ; from < to; sectors++ {
		next := min((from/sector+1)*sector, to)
		if mask&(1<<sectors) != 0 {
			clear(text[from:next])
		}
		from = next
	}
	return text, sectors
}

// read replays a journal.
func (j *roomyJournal) read(text []byte) (*journal, map[string]int64, error) {
	r := &journal{name: "s.journal"}
	f := bytes.NewReader(text)
	got := map[string]int64{}
	err := r.begin(f)
	if err == nil {
		err = r.replay(f, func(o op) { got[o.id] = o.rec.Get("n").Int() })
	}
	return r, got, err
}

// Of the last write a loss of power may leave any of its sectors: then it did
// not happen. If sectors of an earlier one are missing, that is damage.
func TestEveryTornSector(t *testing.T) {
	j := roomy(t)
	for frame := range j.ends {
		from := int64(len(journalMagic))
		want := map[string]int64{}
		if frame > 0 {
			from, want = j.ends[frame-1], j.states[frame-1]
		}
		_, sectors := j.without(from, j.ends[frame], 0)
		for mask := 1; mask < 1<<sectors; mask++ {
			text, _ := j.without(from, j.ends[frame], mask)
			r, got, err := j.read(text)
			switch {
			case frame < len(j.ends)-1 && dataknobs.CodeOf(err) != dataknobs.DataLoss:
				t.Errorf("frame %d without sectors %b: got %v, %v; wanted DataLoss", frame, mask, got, err)
			case frame == len(j.ends)-1 && (err != nil || !maps.Equal(got, want) || r.end != from || !r.torn):
				t.Errorf("frame %d without sectors %b: got %v, %v, end %d; wanted %v, end %d", frame, mask, got, err, r.end, want, from)
			}
		}
	}
	// A writer goes on from there.
	os.Remove(j.path)
	text, _ := j.without(j.ends[1], j.ends[2], 2)
	if err := os.WriteFile(j.path+journalExt, text, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := New(t.Context(), Options{Path: j.path})
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, nil)
	defer db.Close()
	if _, err := db.Create(t.Context(), dataknobs.NewRecord("z", dataknobs.F("n", 7))); err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(j.states[1])
	want["z"] = 7
	if got, err := stateOf(t.Context(), j.path); err != nil || !maps.Equal(got, want) {
		t.Errorf("after another write: got %v, %v; wanted %v", got, err, want)
	}
}

// Zeros behind the frames are no frames, and hide no damage.
func TestFlippedBytesBeforeZeros(t *testing.T) {
	j := roomy(t)
	if r, got, err := j.read(j.text); err != nil || r.end != j.ends[2] || !maps.Equal(got, j.states[2]) {
		t.Fatalf("got %v, %v, end %d; wanted %v, end %d", got, err, r.end, j.states[2], j.ends[2])
	}
	for i := range j.ends[2] {
		bad := bytes.Clone(j.text)
		bad[i] ^= 0x55
		if _, got, err := j.read(bad); dataknobs.CodeOf(err) != dataknobs.DataLoss {
			t.Errorf("byte %d flipped: got %v, error %v; wanted DataLoss", i, got, err)
		}
	}
}

// Where syncs are few, later writes may reach the disk before earlier ones: what
// is behind a hole did not happen then, which is no damage.
func TestHoleInAnUnsyncedJournal(t *testing.T) {
	for _, mode := range []SyncMode{SyncBatch, SyncNone} {
		path := filepath.Join(t.TempDir(), "s.ndjson")
		d, err := New(t.Context(), Options{Path: path, Sync: mode})
		if err != nil {
			t.Fatal(err)
		}
		db := dataknobs.New(d, nil)
		var ends []int64
		for _, id := range []string{"a", "b", "c"} {
			if _, err := db.Create(t.Context(), dataknobs.NewRecord(id, dataknobs.F("text", strings.Repeat("x", 2000)))); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, d.st.jrnl.end)
		}
		text, err := os.ReadFile(path + journalExt)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		os.Remove(path)
		clear(text[ends[0]+100 : ends[0]+1500])
		if err := os.WriteFile(path+journalExt, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := stateOf(t.Context(), path); err != nil || len(got) != 1 {
			t.Errorf("sync mode %d: got %v, %v; wanted the first record alone", mode, got, err)
		}
	}
}

// A reader sees at once what a writer has put into the room of the journal, and
// is not taken in by another journal in the place of the one it has read.
func TestReaderBesideRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.csv")
	if err := os.WriteFile(path, []byte("id,n\nold,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() *dataknobs.DB {
		d, err := New(t.Context(), Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		db := dataknobs.New(d, nil)
		t.Cleanup(func() { db.Close() })
		return db
	}
	w, r := open(), open()
	for n := range int64(50) {
		if _, err := w.Put(t.Context(), dataknobs.NewRecord("x", dataknobs.F("n", 100+n))); err != nil {
			t.Fatal(err)
		}
		if rec, err := r.Get(t.Context(), "x"); err != nil || rec.Get("n").Int() != 100+n {
			t.Fatalf("the reader got %v, %v; wanted n=%d", rec, err, 100+n)
		}
		if n%5 > 0 {
			continue
		}
		// Nothing is left of the journal, so it is made anew beside the same file.
		if err := w.Delete(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		if err := w.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
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
	for _, s := range hostile.Seeds(hostile.Binary) {
		f.Add([]byte(journalMagic + s))
	}
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
