package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/all"
	"dataknobs.dev/dataknobs/internal/servers/bucket"
)

// A curve is the cost of an operation on a store as the store grows.
type curve struct {
	Store     string  `json:"store"`
	Operation string  `json:"operation"`
	Points    []point `json:"points"`
	Exponent  float64 `json:"exponent"` // of N, fitted
}

type point struct {
	N       int     `json:"records"`
	Seconds float64 `json:"seconds"`
	Memory  int64   `json:"memory,omitempty"` // bytes, the peak of the whole process
}

// A scaled store is measured at each size.
type scaled struct {
	name  string
	url   func(name string) string // of the store of that name
	sizes []int
	// indexed: a condition on name is answered by an index.
	indexed bool
	// process: another process can read the store.
	process bool
}

const memoryStore = "memory"

// The operations of the section, with the greatest exponent that each may
// have: 1 is linear in the number of records, 0 constant. What is looked up costs
// a little more in a store that no longer fits into the processor's caches.
const (
	opCreate = "create everything, in batches"
	opGet    = "get one"
	opIndex  = "query one by index"
	opScan   = "read everything"
	opCopy   = "copy to an NDJSON file"
)

var exponents = map[string]float64{opCreate: 1.05, opGet: 0.25, opIndex: 0.25, opScan: 1.05, opCopy: 1.05}

// scaling measures how the cost of each operation grows with the store.
func (b *bench) scaling() error {
	dir, err := os.MkdirTemp(b.work, "scaling")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pg, stop, err := b.serve("postgres")
	if err != nil {
		return err
	}
	defer stop()
	es, stopES, err := b.serve("elasticsearch")
	if err != nil {
		return err
	}
	defer stopES()
	minio, stopMinIO, err := b.serve("minio")
	if err != nil {
		return err
	}
	defer stopMinIO()
	bucket, err := b.bucket(minio)
	if err != nil {
		return err
	}
	to := func(n int) []int { return b.sizes(upTo(n)...) }
	toS3 := to(10_000)
	if b.quick {
		toS3 = []int{200, 1000}
	}
	stores := []scaled{
		{memoryStore, func(string) string { return "mem:?index=name" }, to(1_000_000), true, false},
		{"file (NDJSON)", func(name string) string { return filepath.Join(dir, name+".ndjson") }, to(1_000_000), false, true},
		{"SQLite", func(name string) string {
			return fmt.Sprintf("sqlite:%s?table=people&index=name", filepath.Join(dir, name+".db"))
		}, to(1_000_000), true, true},
		{"PostgreSQL", func(name string) string {
			return fmt.Sprintf("postgres://app:app@127.0.0.1:%d/app?table=%s&index=name", pg, name)
		}, to(1_000_000), true, true},
		{"Elasticsearch", func(name string) string { return fmt.Sprintf("es+http://127.0.0.1:%d/%s", es, name) }, to(100_000), true, true},
		{"S3", bucket, toS3, false, true},
	}
	b.scaleMap()
	for _, s := range stores {
		if err := b.scale(s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	b.add(b.exponents())
	b.add(b.flat())
	return nil
}

// bucket makes a bucket on a server of ours, and returns how a store in it is named.
func (b *bench) bucket(port int) (func(prefix string) string, error) {
	at := bucket.Server{Endpoint: fmt.Sprintf("http://127.0.0.1:%d", port), Key: "testkey", Secret: "testsecret"}
	const name = "bench"
	return func(prefix string) string { return at.URL(name, prefix) }, at.Make(b.ctx, name)
}

func upTo(most int) []int {
	var sizes []int
	for n := 1000; n <= most; n *= 10 {
		sizes = append(sizes, n)
	}
	return sizes
}

func (b *bench) scale(s scaled) error {
	curves := map[string]*curve{}
	ops := []string{opCreate, opGet, opIndex, opScan, opCopy}
	for _, op := range ops {
		curves[op] = &curve{Store: s.name, Operation: op}
	}
	for _, n := range s.sizes {
		points, err := b.scaleAt(s, n)
		if err != nil {
			return fmt.Errorf("%d records: %w", n, err)
		}
		for op, p := range points {
			curves[op].Points = append(curves[op].Points, p)
			fmt.Printf("%-14s %9s records  %-30s %s\n", s.name, thousands(n), op, duration(p.Seconds))
		}
	}
	for _, op := range ops {
		if c := curves[op]; len(c.Points) > 1 {
			c.Exponent = exponent(c.Points)
			b.curves = append(b.curves, *c)
		}
	}
	return nil
}

// scaleAt measures the store at n records: a small one several times, of which
// the median counts.
func (b *bench) scaleAt(s scaled, n int) (map[string]point, error) {
	rounds := 1
	if n <= 10_000 {
		rounds = b.rounds(3)
	}
	all := map[string][]point{}
	for round := range rounds {
		r := &scaleRun{b: b, s: s, n: n, url: s.url(fmt.Sprintf("people%d_%d", n, round)), points: map[string]point{}}
		err := r.run()
		if r.db != nil {
			r.db.Close()
		}
		if err != nil {
			return nil, err
		}
		for op, p := range r.points {
			all[op] = append(all[op], p)
		}
	}
	points := map[string]point{}
	for op, ps := range all {
		slices.SortFunc(ps, func(a, b point) int { return cmp.Compare(a.Seconds, b.Seconds) })
		points[op] = ps[len(ps)/2]
	}
	return points, nil
}

// A scaleRun is one store of n records.
type scaleRun struct {
	b      *bench
	s      scaled
	n      int
	url    string
	db     *dataknobs.DB
	points map[string]point
}

func (r *scaleRun) set(op string, seconds float64) { r.points[op] = point{N: r.n, Seconds: seconds} }

func (r *scaleRun) run() (err error) {
	if r.db, err = dataknobs.Open(r.b.ctx, r.url, nil); err != nil {
		return err
	}
	took, err := createPeople(r.b.ctx, r.db, r.n)
	if err != nil {
		return err
	}
	r.set(opCreate, took)
	if r.s.process { // what was just written is read as anybody would read it
		if err := r.reopen(); err != nil {
			return err
		}
	}
	if err := r.repeated(opGet, func(i int) error {
		_, err := r.db.Get(r.b.ctx, personID(i))
		return err
	}); err != nil {
		return err
	}
	if r.s.indexed {
		if err := r.repeated(opIndex, r.findByName); err != nil {
			return err
		}
	}
	if err := r.scan(); err != nil || !r.s.process {
		return err
	}
	return r.copy()
}

func (r *scaleRun) reopen() (err error) {
	if err := r.db.Sync(r.b.ctx); err != nil {
		return err
	}
	if err := r.db.Close(); err != nil {
		return err
	}
	r.db, err = dataknobs.Open(r.b.ctx, r.url, nil)
	return err
}

// repeated does f for records here and there, and sets what one of them costs.
func (r *scaleRun) repeated(op string, f func(i int) error) error {
	// What the store does once at the first use is not what grows.
	if err := f(0); err != nil {
		return err
	}
	const least, long = 300, 100 * time.Millisecond
	start := time.Now()
	n := 0
	for ; n < least || time.Since(start) < long; n++ {
		if err := f((n * 7919) % r.n); err != nil {
			return err
		}
	}
	r.set(op, time.Since(start).Seconds()/float64(n))
	return nil
}

func (r *scaleRun) findByName(i int) error {
	name, _ := person(i).Fields.Get("name")
	got, err := r.db.All(r.b.ctx, dataknobs.Where(dataknobs.P("name").Eq(name)).Query())
	if err == nil && len(got) != 1 {
		err = fmt.Errorf("found %d records", len(got))
	}
	return err
}

func (r *scaleRun) scan() error {
	var scans []float64
	for range r.b.rounds(3) {
		start := time.Now()
		got, err := drain(r.b.ctx, r.db, "")
		if err == nil && got != r.n {
			err = fmt.Errorf("read %d records", got)
		}
		if err != nil {
			return err
		}
		scans = append(scans, time.Since(start).Seconds())
	}
	r.set(opScan, median(scans))
	return nil
}

func (r *scaleRun) copy() error {
	out, err := os.MkdirTemp(r.b.work, "copy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	f, _, err := r.b.once(command{r.b.dk, []string{"copy", r.url, filepath.Join(out, "copy.ndjson")}})
	r.points[opCopy] = point{N: r.n, Seconds: f.seconds, Memory: f.rss}
	return err
}

func personID(i int) string { return fmt.Sprintf("r%07d", i) }

// createPeople returns the seconds that the creates took, without making the records.
func createPeople(ctx context.Context, db *dataknobs.DB, n int) (float64, error) {
	var total time.Duration
	for from := 0; from < n; from += 10_000 {
		recs := peopleFrom(from, min(n, from+10_000))
		runtime.GC()
		start := time.Now()
		if _, err := db.CreateMany(ctx, recs); err != nil {
			return 0, err
		}
		total += time.Since(start)
	}
	return total.Seconds(), nil
}

func peopleFrom(from, to int) []*dataknobs.Record {
	recs := make([]*dataknobs.Record, 0, to-from)
	for i := from; i < to; i++ {
		recs = append(recs, person(i))
	}
	return recs
}

// exponent is the slope of the line that fits best through the points, both
// axes logarithmic.
func exponent(points []point) float64 {
	var sx, sy, sxx, sxy float64
	for _, p := range points {
		x, y := math.Log(float64(p.N)), math.Log(p.Seconds)
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	n := float64(len(points))
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

func (b *bench) exponents() section {
	s := section{
		title: "Growth: the exponent of the number of records",
		note: "Each operation at 1,000, 10,000, 100,000 and 1,000,000 records, as far as the store goes; the exponent is that of the power of N that fits best: " +
			"1 is linear, 0 constant. Times are at the smallest and the greatest size. What a store in the processor's caches costs less than one in memory counts as growth: " +
			"a Go map, a list and a B-tree of the same records, copied in and out, say how much that is, and the memory store may grow like them.",
	}
	least := map[string]float64{} // what a goMap grows by
	for _, c := range b.curves {
		first, last := c.Points[0], c.Points[len(c.Points)-1]
		r := row{
			op:   c.Store + ": " + c.Operation,
			ours: figure{text: fmt.Sprintf("N^%.2f", c.Exponent)}, peerName: fmt.Sprintf("%s → %s", thousands(first.N), thousands(last.N)),
			peer: figure{text: duration(first.Seconds) + " → " + duration(last.Seconds)},
		}
		most := exponents[c.Operation]
		switch {
		case c.Store == goMap:
			least[c.Operation] = c.Exponent
		case c.Store == memoryStore && least[c.Operation] > most:
			r.target, r.met = fmt.Sprintf("≤ a map's, N^%.2f", least[c.Operation]), c.Exponent <= least[c.Operation]
		default:
			r.target, r.met = fmt.Sprintf("≤ N^%.2f", most), c.Exponent <= most
		}
		s.rows = append(s.rows, r)
	}
	return s
}

// flat says whether the memory of a copy stays the same.
func (b *bench) flat() section {
	s := section{title: "Growth: peak memory of a copy to a file", note: "Whole process of `dk copy`, at the smallest and the greatest size. A copy into a file keeps what tells the IDs apart that it has seen, some 70 bytes for each."}
	for _, c := range b.curves {
		if c.Operation != opCopy {
			continue
		}
		first, last := c.Points[0], c.Points[len(c.Points)-1]
		s.rows = append(s.rows, row{
			op: c.Store, ours: figure{text: fmt.Sprintf("%d MB", last.Memory>>20)}, peerName: thousands(first.N) + " records",
			peer:   figure{text: fmt.Sprintf("%d MB", first.Memory>>20)},
			target: "< 200 MB", met: last.Memory < 200e6,
		})
	}
	return s
}
