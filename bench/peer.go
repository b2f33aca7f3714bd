package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/driver/memory"
)

// peerRecords is how many records both sides hold.
func (b *bench) peerRecords() int {
	if b.quick {
		return 10_000
	}
	return 100_000
}

// An operation is done by both sides. times is how often ours runs for one
// figure: the mean of them, where one is too short to time.
type operation struct {
	name   string
	times  int
	factor float64 // the target: the peer takes at least so many times as long
	run    func(o *ourSide, i int) (int, error)
	equal  bool                   // both must find as many
	before func(o *ourSide) error // what does not count
}

var operations = []operation{
	{"batch create", 1, 20, (*ourSide).batchCreate, true, (*ourSide).empty},
	{"read one", 200, 1000, (*ourSide).readOne, true, nil},
	{"create one", 100, 1000, (*ourSide).createOne, true, nil},
	{"search =", 1, 20, search("city = 'Lisbon'"), true, nil},
	{"search range, top 100", 1, 20, search("age between 30 and 50 order by score desc limit 100"), true, nil},
	{"search LIKE", 1, 20, search("name like 'Mar%'"), true, nil},
	{"search IN", 1, 20, search("city in ('Berlin', 'Lisbon', 'Oslo', 'Rome', 'Tokyo')"), true, nil},
	{"search AND/OR", 1, 20, search("city = 'Paris' or city = 'Tokyo'"), true, nil},
	{"memory batch create", 1, 50, (*ourSide).memoryBatch, true, (*ourSide).closed},
	{"memory create one by one", 1, 50, (*ourSide).memoryEach, true, (*ourSide).closed},
}

// peerPackage races the library against the Python package, operation by
// operation, ours and theirs in turn.
func (b *bench) peerPackage() error {
	dir, err := os.MkdirTemp(b.work, "peer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	recs, err := writePeople(filepath.Join(dir, "records.jsonl"), b.peerRecords())
	if err != nil {
		return err
	}
	theirs, err := b.startPeer("peer.py", filepath.Join(dir, "records.jsonl"), dir)
	if err != nil {
		return err
	}
	defer theirs.stop()
	ours := &ourSide{b: b, dir: filepath.Join(dir, "ours"), recs: recs}
	defer ours.close()
	rows, err := b.takeTurns(ours, theirs)
	if err != nil {
		return err
	}
	b.add(section{
		title: "Python package dataknobs-data " + pythonVersion,
		note:  fmt.Sprintf("A JSON file store and the memory store, %d records of nine fields, the same operations in turn.", b.peerRecords()),
		rows:  rows,
	})
	return nil
}

// takeTurns does all operations round by round: in each the peer's, then ours.
func (b *bench) takeTurns(ours *ourSide, theirs *peer) ([]row, error) {
	took, peers := map[string][]float64{}, map[string][]float64{}
	for range b.rounds(3) {
		for _, op := range operations {
			t, n, err := theirs.do(op.name)
			if err != nil {
				return nil, err
			}
			o, got, err := ours.do(op)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", op.name, err)
			}
			if op.equal && got != n {
				return nil, fmt.Errorf("%s: ours found %d, the peer %d", op.name, got, n)
			}
			took[op.name], peers[op.name] = append(took[op.name], o), append(peers[op.name], t)
		}
	}
	var rows []row
	for _, op := range operations {
		r := row{op: op.name, ours: measured(took[op.name], 1), peer: measured(peers[op.name], 1), peerName: "dataknobs-data",
			target: fmt.Sprintf("≥ %g × as fast", op.factor)}
		r.met = r.ratio() >= op.factor
		rows = append(rows, r)
	}
	return rows, nil
}

// A peer is the Python process.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (b *bench) startPeer(script string, args ...string) (*peer, error) {
	cmd := exec.CommandContext(b.ctx, b.python, append([]string{filepath.Join(b.dir, script)}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &peer{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

func (p *peer) do(op string) (seconds float64, n int, err error) {
	if _, err := fmt.Fprintln(p.in, op); err != nil {
		return 0, 0, err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return 0, 0, fmt.Errorf("the peer stopped: %w", err)
	}
	var a struct {
		Seconds float64
		N       int
		Error   string
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return 0, 0, err
	}
	if a.Error != "" {
		return 0, 0, errors.New("the peer: " + a.Error)
	}
	return a.Seconds, a.N, nil
}

func (p *peer) stop() {
	p.in.Close()
	p.cmd.Wait() //nolint:errcheck // its work is done
}

// ourSide holds our stores.
type ourSide struct {
	b    *bench
	dir  string // of the file store alone
	recs []*dataknobs.Record
	db   *dataknobs.DB
}

func (o *ourSide) close() {
	if o.db != nil {
		o.db.Close()
		o.db = nil
	}
}

// do returns the seconds of one operation, and how many records it had to do
// with.
func (o *ourSide) do(op operation) (seconds float64, n int, err error) {
	if op.before != nil {
		if err := op.before(o); err != nil {
			return 0, 0, err
		}
	}
	runtime.GC() // what the operation before left behind is not this one's
	start := time.Now()
	for i := range op.times {
		if n, err = op.run(o, i); err != nil {
			return 0, 0, err
		}
	}
	return time.Since(start).Seconds() / float64(op.times), n, nil
}

// closed closes the file store, which is not the garbage collector's matter when
// the memory store is measured.
func (o *ourSide) closed() error {
	o.close()
	return nil
}

// empty removes the store of the round before.
func (o *ourSide) empty() error {
	o.close()
	return os.RemoveAll(o.dir)
}

func (o *ourSide) batchCreate(int) (int, error) {
	if err := os.Mkdir(o.dir, 0o700); err != nil {
		return 0, err
	}
	db, err := dataknobs.Open(o.b.ctx, "file:"+filepath.Join(o.dir, "ours.json"), nil)
	if err != nil {
		return 0, err
	}
	o.db = db
	rs, err := db.CreateMany(o.b.ctx, o.recs)
	return len(rs), err
}

func (o *ourSide) readOne(i int) (int, error) {
	_, err := o.db.Get(o.b.ctx, o.recs[(i*7919)%len(o.recs)].ID)
	return 1, err
}

func (o *ourSide) createOne(i int) (int, error) {
	id := fmt.Sprintf("new%d", i) // a record that no search finds
	_, err := o.db.Create(o.b.ctx, dataknobs.NewRecord(id, dataknobs.F("id", id),
		dataknobs.F("name", "One More"), dataknobs.F("age", 1), dataknobs.F("city", "Nowhere")))
	return 1, err
}

func search(text string) func(*ourSide, int) (int, error) {
	return func(o *ourSide, _ int) (int, error) {
		n := 0
		for _, err := range o.db.Query(o.b.ctx, text) {
			if err != nil {
				return 0, err
			}
			n++
		}
		return n, nil
	}
}

func (o *ourSide) memoryBatch(int) (int, error) {
	db := dataknobs.New(memory.New(memory.Options{}), nil)
	defer db.Close()
	rs, err := db.CreateMany(o.b.ctx, o.recs)
	return len(rs), err
}

func (o *ourSide) memoryEach(int) (int, error) {
	db := dataknobs.New(memory.New(memory.Options{}), nil)
	defer db.Close()
	n := min(20_000, len(o.recs))
	for _, r := range o.recs[:n] {
		if _, err := db.Create(o.b.ctx, r); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// writePeople makes the data of both sides.
func writePeople(path string, n int) ([]*dataknobs.Record, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriter(f)
	var recs []*dataknobs.Record
	for r := range people(n) {
		w.Write(append(r.Fields.AppendJSON(nil), '\n')) //nolint:errcheck // Flush reports it
		recs = append(recs, r)
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return recs, f.Close()
}

func people(n int) iter.Seq[*dataknobs.Record] {
	return func(yield func(*dataknobs.Record) bool) {
		for i := range n {
			if !yield(person(i)) {
				return
			}
		}
	}
}

var (
	firstNames = []string{"Alice", "Bruno", "Carla", "Daniel", "Emma", "Felix", "Grace", "Hugo", "Iris", "Jack", "Maria", "Marta", "Marcus", "Nina"}
	lastNames  = []string{"Adams", "Baker", "Clark", "Davis", "Evans", "Fischer", "Garcia", "Huang", "Ivanov", "Jones", "Klein"}
	cities     = []string{"Berlin", "Chicago", "Dublin", "Geneva", "Kyoto", "Lisbon", "Madrid", "Oslo", "Paris", "Quito", "Rome", "Tokyo"}
)

// person returns the i-th record, the same in every run.
func person(i int) *dataknobs.Record {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	id := fmt.Sprintf("r%07d", i)
	return dataknobs.NewRecord(id,
		dataknobs.F("id", id),
		dataknobs.F("name", fmt.Sprintf("%s %s %d", pick(firstNames), pick(lastNames), i)),
		dataknobs.F("age", 18+r.IntN(73)),
		dataknobs.F("city", pick(cities)),
		dataknobs.F("score", float64(r.IntN(1_000_000))/10_000+0.00001),
		dataknobs.F("active", r.IntN(10) < 7),
		dataknobs.F("created", time.Unix(1672531200+r.Int64N(63_072_000), 0).UTC().Format(time.RFC3339)),
		dataknobs.F("tags", []string{fmt.Sprintf("tag%02d", r.IntN(30)), fmt.Sprintf("tag%02d", r.IntN(30))}),
		dataknobs.F("address", dataknobs.Fields{
			dataknobs.F("street", fmt.Sprintf("%d Main Street", 1+r.IntN(999))),
			dataknobs.F("zip", fmt.Sprintf("%05d", r.IntN(100_000)))}),
	)
}
