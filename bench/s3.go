package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/servers"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// farRTT is the round trip to a region that is not the nearest.
const farRTT = 20 * time.Millisecond

// s3Query is the search: a twelfth of the records are found.
const s3Query = "city = 'Lisbon'"

// s3 measures the S3 store on MinIO, near and far.
func (b *bench) s3() error {
	port, stop, err := b.serve("minio")
	if err != nil {
		return err
	}
	defer stop()
	store, err := b.bucket(port)
	if err != nil {
		return err
	}
	if err := b.boto3(); err != nil {
		return err
	}
	s5cmd, err := b.s5cmd()
	if err != nil {
		return err
	}
	os.Setenv("AWS_ACCESS_KEY_ID", "testkey") // for the peers
	os.Setenv("AWS_SECRET_ACCESS_KEY", "testsecret")
	os.Setenv("AWS_REGION", "us-east-1")
	far, closeFar, err := servers.Lag(fmt.Sprintf("127.0.0.1:%d", port), farRTT)
	if err != nil {
		return err
	}
	defer closeFar()
	sizes, large := []int{1000, 10_000}, 100_000
	if b.quick {
		sizes, large = []int{300}, 1000
	}
	for _, n := range sizes {
		near := fmt.Sprintf("127.0.0.1:%d", port)
		for _, host := range []string{near, far} {
			r := &s3Run{b: b, n: n, s5cmd: s5cmd, near: host == near, endpoint: "http://" + host, store: store}
			if err := r.run(); err != nil {
				return fmt.Errorf("%s: %w", r, err)
			}
			b.add(section{title: "S3 store, " + r.String(), note: fmt.Sprintf("MinIO on the same machine, %d requests under way on every side. "+
				"Raw: aws-sdk-go-v2 and encoding/json; s5cmd %s: its whole process, from and to files; dataknobs-data: its synchronous backend, fewer records, time for each. "+
				"A first search takes one round trip for each %d records, a repeated one none where index_ttl lets it use the last listing again, else a listing, which MinIO takes about 20 ms for.",
				s3Parallel, s5cmdVersion, s3Parallel), rows: r.rows})
		}
	}
	if err := b.s3RoundTrips(port, store); err != nil {
		return err
	}
	return b.s3Large(store, large)
}

// An s3Run is the measurement of one size from one distance.
type s3Run struct {
	b        *bench
	n        int
	s5cmd    string
	near     bool
	endpoint string
	store    func(prefix string) string // near
	raw      *awss3.Client
	rows     []row

	recs   []*dataknobs.Record
	people []personRow
	ids    []string
}

func (r *s3Run) String() string {
	where := "near"
	if !r.near {
		where = fmt.Sprintf("%s away", farRTT)
	}
	return fmt.Sprintf("%s records, %s", thousands(r.n), where)
}

// url names the store at a prefix, from where the run stands.
func (r *s3Run) url(prefix, more string) string {
	return endpointOf.ReplaceAllString(r.store(prefix), "endpoint="+r.endpoint) + more
}

var endpointOf = regexp.MustCompile(`endpoint=[^&]*`)

// prefix is a place of its own.
func (r *s3Run) prefix(side string, round int) string {
	where := "far"
	if r.near {
		where = "near"
	}
	return fmt.Sprintf("%s-%s-%d-%d/", side, where, r.n, round)
}

func (r *s3Run) run() error {
	for i := range r.n {
		rec := person(i)
		r.recs, r.ids = append(r.recs, rec), append(r.ids, rec.ID)
		var p personRow
		if err := json.Unmarshal(rec.Fields.AppendJSON(nil), &p); err != nil {
			return err
		}
		r.people = append(r.people, p)
	}
	r.raw = rawS3(r.endpoint)
	for _, part := range []func() error{r.creates, r.reads, r.searches, r.python} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// rounds is how often each side is measured.
func (r *s3Run) rounds() int {
	if r.n > 1000 {
		return r.b.rounds(2)
	}
	return r.b.rounds(5)
}

// turns measures sides one after the other, in rounds, of which each begins with
// another side; the first of the returned figures is that of the first side.
// The small size is the first on a server: its first round does not count.
func (r *s3Run) turns(sides ...func(round int) (seconds float64, err error)) ([]figure, error) {
	times := make([][]float64, len(sides))
	warm := 0
	if r.n <= 1000 {
		warm = 1
	}
	for round := range r.rounds() + warm {
		for k := range sides {
			i := (round + k) % len(sides)
			seconds, err := sides[i](round)
			if err != nil {
				return nil, err
			}
			if round >= warm {
				times[i] = append(times[i], seconds)
			}
		}
	}
	figures := make([]figure, len(sides))
	for i := range figures {
		figures[i] = measured(times[i], r.n)
	}
	return figures, nil
}

func timed(f func() error) (float64, error) {
	start := time.Now()
	err := f()
	return time.Since(start).Seconds(), err
}

func (r *s3Run) creates() error {
	dir, err := r.files()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	f, err := r.turns(func(round int) (float64, error) {
		db, err := dataknobs.Open(r.b.ctx, r.url(r.prefix("ours", round), ""), nil)
		if err != nil {
			return 0, err
		}
		defer db.Close()
		// What a handle asks once is asked before the clock starts, as the raw side asks nothing.
		if _, err := db.Create(r.b.ctx, dataknobs.NewRecord("first")); err != nil {
			return 0, err
		}
		seconds, err := timed(func() error { _, err := db.CreateMany(r.b.ctx, r.recs); return err })
		if err == nil {
			err = db.Delete(r.b.ctx, "first")
		}
		return seconds, err
	}, func(round int) (float64, error) {
		return timed(func() error { return r.rawCreate(r.prefix("raw", round), r.people) })
	}, func(round int) (float64, error) {
		return r.copy(dir+"/", "s3://bench/"+r.prefix("s5cmd", round))
	})
	if err != nil {
		return err
	}
	r.compare("batch create", f, 2e-3)
	return nil
}

// files writes the records' objects to a folder.
func (r *s3Run) files() (string, error) {
	dir, err := os.MkdirTemp(r.b.work, "s3files")
	if err != nil {
		return "", err
	}
	for _, rec := range r.recs {
		if err := os.WriteFile(filepath.Join(dir, rec.ID+".json"), rec.Fields.AppendJSON(nil), 0o600); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// copy is one run of s5cmd.
func (r *s3Run) copy(from, to string) (float64, error) {
	f, _, err := r.b.once(command{r.s5cmd, []string{"--endpoint-url", r.endpoint, "--numworkers", strconv.Itoa(s3Parallel), "--log", "error", "cp", from, to}})
	return f.seconds, err
}

func (r *s3Run) reads() error {
	prefix := r.prefix("ours", 0)
	db, err := dataknobs.Open(r.b.ctx, r.url(prefix, "&body_cache=0"), nil)
	if err != nil {
		return err
	}
	defer db.Close()
	out, err := os.MkdirTemp(r.b.work, "s3out")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	f, err := r.turns(func(int) (float64, error) {
		return timed(func() error {
			recs, err := db.GetMany(r.b.ctx, r.ids)
			if err == nil && len(recs) != r.n {
				err = fmt.Errorf("read %d records", len(recs))
			}
			return err
		})
	}, func(int) (float64, error) {
		return timed(func() error { return r.rawRead(prefix, r.ids) })
	}, func(int) (float64, error) {
		return r.copy("s3://bench/"+prefix+"*", out)
	})
	if err != nil {
		return err
	}
	r.compare("batch read", f, 1e-3)
	return nil
}

// compare adds the rows of a batch: against the SDK, against s5cmd and, from
// afar, against the bound on one record.
func (r *s3Run) compare(op string, f []figure, most float64) {
	r.rows = append(r.rows,
		row{op: op + ", a record", ours: f[0], peer: f[1], peerName: "raw SDK", target: "≤ 1.15 × its time", met: f[0].seconds <= 1.15*f[1].seconds},
		row{op: op + ", a record", ours: f[0], peer: f[2], peerName: "s5cmd", target: "no slower", met: f[0].seconds <= f[2].seconds})
	if !r.near {
		r.rows = append(r.rows, row{op: op + ", a record", ours: f[0], target: "< " + duration(most), met: f[0].seconds < most})
	}
}

// searches measures a search and its repetition, and whether Explain knew what
// it would cost.
func (r *s3Run) searches() error {
	search := func(db *dataknobs.DB) (float64, error) {
		return timed(func() error { _, err := drain(r.b.ctx, db, s3Query); return err })
	}
	for _, settings := range []struct{ name, options, target string }{
		{"search, repeated", "&body_cache=256MiB&index_ttl=1m", "≥ 20 × as fast"},
		{"search, repeated, with a new listing", "&body_cache=256MiB", ""},
	} {
		var first, again []float64
		for range r.b.rounds(3) {
			db, err := dataknobs.Open(r.b.ctx, r.url(r.prefix("ours", 0), settings.options), nil)
			if err != nil {
				return err
			}
			defer db.Close()
			seconds, err := search(db)
			if err != nil {
				return err
			}
			first = append(first, seconds)
			if _, err := search(db); err != nil { // the first that knows how to list at once
				return err
			}
			if seconds, err = search(db); err != nil {
				return err
			}
			again = append(again, seconds)
		}
		o := row{op: settings.name, ours: measured(again, 1), peer: measured(first, 1), peerName: "the first time", target: settings.target}
		o.met = o.peer.seconds >= 20*o.ours.seconds
		r.rows = append(r.rows, o)
	}
	db, err := dataknobs.Open(r.b.ctx, r.url(r.prefix("ours", 0), "&body_cache=0"), nil)
	if err != nil {
		return err
	}
	defer db.Close()
	plan, err := db.Explain(r.b.ctx, dataknobs.MustParse(s3Query), dataknobs.ExplainOptions{Analyze: true})
	if err != nil {
		return err
	}
	estimate := requestsOf(plan)
	off := math.Abs(estimate-float64(plan.Analysis.Calls)) / float64(plan.Analysis.Calls)
	r.rows = append(r.rows, row{op: "requests of a search", ours: figure{text: fmt.Sprint(plan.Analysis.Calls)}, peer: figure{text: fmt.Sprint(estimate)},
		peerName: "Explain's estimate", target: "within 5 %", met: off <= 0.05})
	return nil
}

// requestsOf reads the estimate from what Explain says.
func requestsOf(p *dataknobs.Plan) float64 {
	for _, step := range p.Pushed.Steps {
		if rest, ok := strings.CutPrefix(step, "about "); ok {
			number, _, _ := strings.Cut(rest, " ")
			n, _ := strconv.ParseFloat(number, 64)
			return n
		}
	}
	return 0
}

// python compares with the Python package, which takes so long for a record
// that it gets fewer.
func (r *s3Run) python() error {
	if r.n > 1000 {
		return nil
	}
	n := r.n
	if !r.near {
		n = 200
	}
	dir, err := os.MkdirTemp(r.b.work, "s3peer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "records.jsonl")
	recs, err := writePeople(path, n)
	if err != nil {
		return err
	}
	theirs, err := r.b.startPeer("s3peer.py", r.endpoint, path, r.prefix("python", 0))
	if err != nil {
		return err
	}
	defer theirs.stop()
	db, err := dataknobs.Open(r.b.ctx, r.url(r.prefix("beside", 0), "&body_cache=0"), nil)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, op := range []struct {
		name string
		run  func() (int, error)
	}{
		{"create", func() (int, error) { got, err := db.CreateMany(r.b.ctx, recs); return len(got), err }},
		{"read", func() (int, error) { got, err := db.GetMany(r.b.ctx, r.ids[:n]); return len(got), err }},
		{"search", func() (int, error) { return drain(r.b.ctx, db, s3Query) }},
	} {
		t, want, err := theirs.do(op.name)
		if err != nil {
			return err
		}
		got := 0
		o, err := timed(func() (err error) { got, err = op.run(); return err })
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s: ours did %d records, the peer %d", op.name, got, want)
		}
		r.rows = append(r.rows, row{op: fmt.Sprintf("%s of %d, a record", op.name, n), ours: figure{seconds: o}.each(n), peer: figure{seconds: t}.each(n),
			peerName: "dataknobs-data", target: "faster", met: o < t})
	}
	return nil
}

// s3RoundTrips counts how many round trips a search takes, one after the other:
// through so long a way that nothing else takes time.
func (b *bench) s3RoundTrips(port int, store func(string) string) error {
	const rtt, n = 400 * time.Millisecond, 1000
	far, closeFar, err := servers.Lag(fmt.Sprintf("127.0.0.1:%d", port), rtt)
	if err != nil {
		return err
	}
	defer closeFar()
	r := &s3Run{b: b, n: n, near: true, endpoint: "http://" + far, store: store}
	db, err := dataknobs.Open(b.ctx, r.url(r.prefix("ours", 0), ""), nil) // which connects
	if err != nil {
		return err
	}
	defer db.Close()
	seconds, err := timed(func() error { _, err := drain(b.ctx, db, s3Query); return err })
	if err != nil {
		return err
	}
	took := seconds / rtt.Seconds()
	// One listing, the records, and the connections of all but the first request.
	most := 1 + (n+s3Parallel-1)/s3Parallel + 1
	b.add(section{title: "S3 store: round trips of a search", note: fmt.Sprintf("1,000 records, %d requests under way, %s away: the time in round trips.", s3Parallel, rtt), rows: []row{{
		op: "first search", ours: figure{text: fmt.Sprintf("%.1f", took)}, peer: figure{text: fmt.Sprint(most)}, peerName: "listing, n/parallel, connecting",
		target: "≤ 1.15 ×", met: took <= 1.15*float64(most),
	}}})
	return nil
}

// s3Large measures a store of that size: whole processes, for their memory.
func (b *bench) s3Large(store func(string) string, size int) error {
	db, err := dataknobs.Open(b.ctx, store("large/"), nil)
	if err != nil {
		return err
	}
	defer db.Close()
	took, err := createPeople(b.ctx, db, size)
	if err != nil {
		return err
	}
	s := section{title: fmt.Sprintf("S3 store, %s records", thousands(size)), note: "Near. Searches and counts are whole processes of `dk`."}
	s.rows = append(s.rows, row{op: "batch create, a record", ours: figure{seconds: took}.each(size)})
	for _, q := range []string{"select count(*)", "select count(*) where " + s3Query} {
		f, _, err := b.once(command{b.dk, []string{"query", store("large/"), q}})
		if err != nil {
			return err
		}
		s.rows = append(s.rows, row{op: q, ours: f})
	}
	b.add(s)
	return nil
}
