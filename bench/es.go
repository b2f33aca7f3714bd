package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/elasticsearch"
)

// elasticsearch measures the Elasticsearch store against the official client
// and the Python package, on one node with its full compiler.
func (b *bench) elasticsearch() error {
	for name, value := range map[string]string{"ES_JIT": "full", "ES_HEAP": "1g"} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
		defer os.Unsetenv(name)
	}
	port, stop, err := b.serve("elasticsearch")
	if err != nil {
		return err
	}
	defer stop()
	sizes := []int{100_000, 300_000}
	if b.quick {
		sizes = []int{10_000}
	}
	for _, n := range sizes {
		r := &esRun{b: b, n: n, server: fmt.Sprintf("http://127.0.0.1:%d", port)}
		if err := r.run(); err != nil {
			return fmt.Errorf("%d records: %w", n, err)
		}
		b.add(section{
			title: fmt.Sprintf("Elasticsearch store, %s records", thousands(n)),
			note: "One node on the same machine, one shard, no replica. Raw: the official client's transport and functions, its bulk indexer's way of loading, " +
				"encoding/json, structs. It reads and searches the store's own index, with the search that Explain shows.",
			rows: r.rows,
		})
	}
	return b.esPeer(port)
}

// An esRun is the measurement at one size.
type esRun struct {
	b      *bench
	n      int
	server string
	rows   []row

	recs []*dataknobs.Record
	docs [][]byte // as the store keeps them
	db   *dataknobs.DB
	own  *rawElasticsearch // on the store's index
}

// esStore opens a store on a fresh index. The index and its mapping are there
// before any clock starts, as they are for the peers.
func (b *bench) esStore(raw *rawElasticsearch, server string) (*dataknobs.DB, error) {
	if err := raw.drop(); err != nil {
		return nil, err
	}
	db, err := dataknobs.Open(b.ctx, "es+"+server+"/"+raw.index+"?shards=1&replicas=0&refresh_interval=-1", nil)
	if err != nil {
		return nil, err
	}
	first := person(0)
	first.ID = "first"
	if _, err := db.Create(b.ctx, first); err != nil {
		return nil, err
	}
	return db, db.Delete(b.ctx, first.ID)
}

func (r *esRun) run() error {
	r.recs = make([]*dataknobs.Record, r.n)
	for i := range r.recs {
		r.recs[i] = person(i)
	}
	var err error
	if r.own, err = newRawElasticsearch(r.b.ctx, r.server, "people-ours"); err != nil {
		return err
	}
	defer r.own.drop() //nolint:errcheck // the node is thrown away
	if err := r.loads(); err != nil {
		return err
	}
	defer r.db.Close()
	if err := r.versus("read everything", 1.15, 5, func() (int, error) { return drain(r.b.ctx, r.db, "") }, r.own.readAll, 1); err != nil {
		return err
	}
	for _, q := range []struct{ name, text string }{
		{"query, 1,000 of many", sqlQueryText + " limit 1000"},
		{"query, the first ten of a sort", "active = true order by score desc limit 10"},
		{"query, one of an IN", "name in ('" + r.recs[7].Get("name").Str() + "', 'x') limit 10"},
	} {
		if err := r.query(q.name, q.text); err != nil {
			return err
		}
	}
	return nil
}

// query races a query that is one search, a few times in each run.
func (r *esRun) query(name, text string) error {
	const times = 20
	body, err := r.body(text)
	if err != nil {
		return err
	}
	several := func(f func() (int, error)) func() (int, error) {
		return func() (n int, err error) {
			for range times {
				if n, err = f(); err != nil {
					return 0, err
				}
			}
			return n, nil
		}
	}
	const rounds = 25 // each is short, and one in ten meets the collector of the server
	return r.versus(name, 1.1, rounds, several(func() (int, error) { return drain(r.b.ctx, r.db, text) }), several(func() (int, error) { return r.own.search(body) }), times)
}

// body is the search that the store makes of a query.
func (r *esRun) body(text string) (string, error) {
	q, err := dataknobs.Parse(text)
	if err != nil {
		return "", err
	}
	plan, err := r.db.Explain(r.b.ctx, q, dataknobs.ExplainOptions{})
	if err != nil {
		return "", err
	}
	if len(plan.Residual) > 0 || len(plan.Pushed.Steps) != 1 {
		return "", fmt.Errorf("%s is not one search", text)
	}
	_, body, _ := strings.Cut(plan.Pushed.Steps[0], "_search ")
	return body, nil
}

// loads fills fresh indexes by turns: ours, the same documents sent raw, and
// plain documents sent raw under the server's own mapping.
func (r *esRun) loads() error {
	rounds := r.b.rounds(5)
	if r.n > 100_000 {
		rounds = 3
	}
	same, err := newRawElasticsearch(r.b.ctx, r.server, "people-same")
	if err != nil {
		return err
	}
	plain, err := newRawElasticsearch(r.b.ctx, r.server, "people-plain")
	if err != nil {
		return err
	}
	var times [3][]float64
	for round := range rounds + 1 {
		for i, side := range []func() (float64, error){
			r.loadOurs,
			func() (float64, error) { return r.loadSame(same) },
			func() (float64, error) { return r.loadPlain(plain) },
		} {
			t, err := side()
			if err != nil {
				return err
			}
			if round > 0 { // the first warms the server up
				times[i] = append(times[i], t)
			}
		}
	}
	ours, sameDocs, plainDocs := measured(times[0], 1), measured(times[1], 1), measured(times[2], 1)
	r.rows = append(r.rows,
		row{op: "load", ours: ours, peer: sameDocs, peerName: "raw, same documents", target: "≤ 1.15 × its time", met: ours.seconds <= 1.15*sameDocs.seconds},
		row{op: "load", ours: ours, peer: plainDocs, peerName: "raw, plain documents", met: true})
	if err := same.drop(); err != nil {
		return err
	}
	return plain.drop()
}

func (r *esRun) loadOurs() (float64, error) {
	if r.db != nil {
		if err := r.db.Close(); err != nil {
			return 0, err
		}
	}
	var err error
	if r.db, err = r.b.esStore(r.own, r.server); err != nil {
		return 0, err
	}
	if err := r.calm(); err != nil {
		return 0, err
	}
	start := time.Now()
	res, err := r.db.Load(r.b.ctx, func(yield func(*dataknobs.Record, error) bool) {
		for _, rec := range r.recs {
			if !yield(rec, nil) {
				return
			}
		}
	}, nil)
	if err == nil && res.Written != int64(r.n) {
		err = fmt.Errorf("loaded %d", res.Written)
	}
	if err == nil {
		err = r.db.Sync(r.b.ctx)
	}
	return time.Since(start).Seconds(), err
}

func (r *esRun) id(i int) string { return r.recs[i].ID }

func (r *esRun) loadSame(raw *rawElasticsearch) (float64, error) {
	if r.docs == nil {
		docs, err := r.own.documents(r.n)
		if err != nil {
			return 0, err
		}
		for _, rec := range r.recs {
			r.docs = append(r.docs, docs[rec.ID])
		}
	}
	mappings, err := r.own.mappings()
	if err != nil {
		return 0, err
	}
	if err := raw.create(mappings); err != nil {
		return 0, err
	}
	if err := r.calm(); err != nil {
		return 0, err
	}
	start := time.Now()
	err = raw.load(r.n, r.id, func(i int) ([]byte, error) { return r.docs[i], nil })
	return time.Since(start).Seconds(), err
}

func (r *esRun) loadPlain(raw *rawElasticsearch) (float64, error) {
	return raw.loadPlain(r.recs)
}

// calm leaves neither side anything to clean up in the time that is measured.
func (r *esRun) calm() error {
	runtime.GC()
	return r.own.settle()
}

// versus runs ours and theirs in turn; each says how many records it found.
// times is how many operations one run is.
func (r *esRun) versus(op string, most float64, rounds int, ours, theirs func() (int, error), times int) error {
	if err := r.calm(); err != nil {
		return err
	}
	x, err := r.b.versus(op, most, rounds, times, ours, theirs)
	if err != nil {
		return err
	}
	x.peerName = "raw client"
	r.rows = append(r.rows, x)
	return nil
}

// esPeer races the Python package, each side on an index of its own.
func (b *bench) esPeer(port int) error {
	dir, err := os.MkdirTemp(b.work, "espeer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	records := filepath.Join(dir, "records.jsonl")
	recs, err := writePeople(records, b.peerRecords())
	if err != nil {
		return err
	}
	r := &esRace{b: b, server: fmt.Sprintf("http://127.0.0.1:%d", port), recs: recs}
	if r.theirs, err = b.startPeer("espeer.py", records, strconv.Itoa(port), "peer"); err != nil {
		return err
	}
	defer r.theirs.stop()
	if err := r.run(); err != nil {
		return err
	}
	b.add(section{
		title: "Elasticsearch store against dataknobs-data " + pythonVersion,
		note: fmt.Sprintf("%s records of nine fields on the same node; the medians of rounds in turn. Its asynchronous backend, in batches of 5,000, one refresh at the end; the synchronous one reads ten records and stops. "+
			"By the raw driver: plain documents under the server's own mapping, two requests at a time, the least that the server lets anybody take.", thousands(b.peerRecords())),
		rows: r.rows,
	})
	return nil
}

// An esRace is the race with the Python package. The official client runs
// along, to tell what is the server's part.
type esRace struct {
	b      *bench
	server string
	recs   []*dataknobs.Record
	theirs *peer
	rows   []row

	db       *dataknobs.DB
	own, raw *rawElasticsearch
}

func (r *esRace) run() (err error) {
	if r.own, err = newRawElasticsearch(r.b.ctx, r.server, "peer-ours"); err != nil {
		return err
	}
	if r.raw, err = newRawElasticsearch(r.b.ctx, r.server, "peer-raw"); err != nil {
		return err
	}
	defer func() {
		if r.db != nil {
			r.db.Close()
		}
	}()
	for _, op := range []struct {
		name      string
		factor    float64
		ours, raw func() (float64, int, error)
	}{
		{"batch create", 5, r.create, r.rawCreate},
		{"read everything", 5, stopped(func() (int, error) { return drain(r.b.ctx, r.db, "") }), stopped(r.raw.readAll)},
		{"search =, 1,000", 0, stopped(func() (int, error) { return drain(r.b.ctx, r.db, "city = 'Lisbon' limit 1000") }), nil},
	} {
		if err := r.versus(op.name, op.factor, op.ours, op.raw); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
	}
	return nil
}

// versus runs an operation on all sides in turn; the first round warms up.
func (r *esRace) versus(op string, factor float64, ours, raw func() (float64, int, error)) error {
	sides := []func() (float64, int, error){
		func() (float64, int, error) { return r.theirs.do(op) }, ours, raw,
	}
	if raw == nil {
		sides = sides[:2]
	}
	runs := make([][]float64, len(sides))
	for round := range r.b.rounds(3) + 1 {
		want := 0
		for i, side := range sides {
			if err := r.own.settle(); err != nil {
				return err
			}
			seconds, n, err := side()
			switch {
			case err != nil:
				return err
			case i == 0:
				want = n
			case n != want:
				return fmt.Errorf("side %d found %d, the peer %d", i, n, want)
			}
			if round > 0 {
				runs[i] = append(runs[i], seconds)
			}
		}
	}
	t, o := measured(runs[0], 1), measured(runs[1], 1)
	line := row{op: op, ours: o, peer: t, peerName: "dataknobs-data", met: t.seconds >= factor*o.seconds}
	if factor > 0 {
		line.target = fmt.Sprintf("≥ %g × as fast", factor)
	}
	r.rows = append(r.rows, line)
	if raw != nil {
		r.rows = append(r.rows, row{op: op + " by the raw driver", ours: measured(runs[2], 1), peer: t, peerName: "dataknobs-data", met: true})
	}
	return nil
}

func stopped(f func() (int, error)) func() (float64, int, error) {
	return func() (float64, int, error) {
		runtime.GC()
		start := time.Now()
		n, err := f()
		return time.Since(start).Seconds(), n, err
	}
}

// create fills a fresh index of ours.
func (r *esRace) create() (seconds float64, n int, err error) {
	if r.db != nil {
		r.db.Close()
	}
	if r.db, err = r.b.esStore(r.own, r.server); err != nil {
		return 0, 0, err
	}
	return stopped(func() (int, error) {
		res, err := r.db.CreateMany(r.b.ctx, r.recs)
		if err != nil {
			return 0, err
		}
		return len(res), r.db.Sync(r.b.ctx)
	})()
}

func (r *esRace) rawCreate() (float64, int, error) {
	seconds, err := r.raw.loadPlain(r.recs)
	return seconds, len(r.recs), err
}
