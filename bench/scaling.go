package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"dataknobs.dev/dataknobs"
	_ "dataknobs.dev/dataknobs/driver/all"

	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
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
	url   func(n int) string
	sizes []int
	// indexed: a condition on name is answered by an index.
	indexed bool
	// process: another process can read the store.
	process bool
}

// The operations of the section, with the greatest exponent that each may
// have: 1 is linear in the number of records, 0 constant.
const (
	opCreate = "create everything, in batches"
	opGet    = "get one"
	opIndex  = "query one by index"
	opScan   = "read everything"
	opCopy   = "copy to an NDJSON file"
)

var exponents = map[string]float64{opCreate: 1.05, opGet: 0.2, opIndex: 0.2, opScan: 1.05, opCopy: 1.05}

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
	stores := []scaled{
		{"memory", func(int) string { return "mem:?index=name" }, to(1_000_000), true, false},
		{"file (NDJSON)", func(n int) string { return filepath.Join(dir, fmt.Sprintf("people%d.ndjson", n)) }, to(1_000_000), false, true},
		{"SQLite", func(n int) string {
			return fmt.Sprintf("sqlite:%s?table=people&index=name", filepath.Join(dir, fmt.Sprintf("people%d.db", n)))
		}, to(1_000_000), true, true},
		{"PostgreSQL", func(n int) string {
			return fmt.Sprintf("postgres://app:app@127.0.0.1:%d/app?table=people%d&index=name", pg, n)
		}, to(1_000_000), true, true},
		{"Elasticsearch", func(n int) string { return fmt.Sprintf("es+http://127.0.0.1:%d/people%d", es, n) }, to(100_000), true, true},
		{"S3", func(n int) string { return bucket(fmt.Sprintf("people%d", n)) }, to(10_000), false, true},
	}
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
	endpoint := fmt.Sprintf("http://127.0.0.1:%d", port)
	client := awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("testkey", "testsecret", ""),
	})
	name := "bench"
	if _, err := client.CreateBucket(b.ctx, &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		return nil, err
	}
	return func(prefix string) string {
		return fmt.Sprintf("s3://%s/%s?endpoint=%s&region=us-east-1&access_key=testkey&secret_key=testsecret", name, prefix, endpoint)
	}, nil
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

// scaleAt measures one store of n records.
func (b *bench) scaleAt(s scaled, n int) (map[string]point, error) {
	points := map[string]point{}
	set := func(op string, seconds float64) { points[op] = point{N: n, Seconds: seconds} }
	db, err := dataknobs.Open(b.ctx, s.url(n), nil)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	took, err := createPeople(b.ctx, db, n)
	if err != nil {
		return nil, err
	}
	set(opCreate, took)
	// What the store does once after the first use is not what grows.
	if _, err := db.Get(b.ctx, personID(0)); err != nil {
		return nil, err
	}
	const gets = 500
	start := time.Now()
	for i := range gets {
		if _, err := db.Get(b.ctx, personID((i*7919)%n)); err != nil {
			return nil, err
		}
	}
	set(opGet, time.Since(start).Seconds()/gets)
	if s.indexed {
		start = time.Now()
		for i := range gets {
			name, _ := person((i * 7919) % n).Fields.Get("name")
			if got, err := db.All(b.ctx, dataknobs.Where(dataknobs.P("name").Eq(name)).Query()); err != nil || len(got) != 1 {
				return nil, fmt.Errorf("found %d records: %w", len(got), err)
			}
		}
		set(opIndex, time.Since(start).Seconds()/gets)
	}
	var scans []float64
	for range b.rounds(3) {
		start = time.Now()
		if got, err := drain(b.ctx, db, ""); err != nil || got != n {
			return nil, fmt.Errorf("read %d records: %w", got, err)
		}
		scans = append(scans, time.Since(start).Seconds())
	}
	set(opScan, median(scans))
	if !s.process {
		return points, nil
	}
	if err := db.Sync(b.ctx); err != nil {
		return nil, err
	}
	out, err := os.MkdirTemp(b.work, "copy")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	f, _, err := b.once(command{b.dk, []string{"copy", s.url(n), filepath.Join(out, "copy.ndjson")}})
	if err != nil {
		return nil, err
	}
	points[opCopy] = point{N: n, Seconds: f.seconds, Memory: f.rss}
	return points, nil
}

func personID(i int) string { return fmt.Sprintf("r%07d", i) }

// createPeople returns the seconds that the creates took, without making the records.
func createPeople(ctx context.Context, db *dataknobs.DB, n int) (float64, error) {
	var total time.Duration
	for from := 0; from < n; from += 10_000 {
		recs := make([]*dataknobs.Record, 0, 10_000)
		for i := from; i < min(n, from+10_000); i++ {
			recs = append(recs, person(i))
		}
		runtime.GC()
		start := time.Now()
		if _, err := db.CreateMany(ctx, recs); err != nil {
			return 0, err
		}
		total += time.Since(start)
	}
	return total.Seconds(), nil
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
			"1 is linear, 0 constant. Times are at the smallest and the greatest size.",
	}
	for _, c := range b.curves {
		first, last := c.Points[0], c.Points[len(c.Points)-1]
		most := exponents[c.Operation]
		s.rows = append(s.rows, row{
			op:   c.Store + ": " + c.Operation,
			ours: figure{text: fmt.Sprintf("N^%.2f", c.Exponent)}, peerName: fmt.Sprintf("%s → %s", thousands(first.N), thousands(last.N)),
			peer:   figure{text: duration(first.Seconds) + " → " + duration(last.Seconds)},
			target: fmt.Sprintf("≤ N^%.2f", most), met: c.Exponent <= most,
		})
	}
	return s
}

// flat says whether the memory of a copy stays the same.
func (b *bench) flat() section {
	s := section{title: "Growth: peak memory of a copy to a file", note: "Whole process of `dk copy`, at the smallest and the greatest size."}
	for _, c := range b.curves {
		if c.Operation != opCopy {
			continue
		}
		first, last := c.Points[0], c.Points[len(c.Points)-1]
		s.rows = append(s.rows, row{
			op: c.Store, ours: figure{text: fmt.Sprintf("%d MB", last.Memory>>20)}, peerName: thousands(first.N) + " records",
			peer:   figure{text: fmt.Sprintf("%d MB", first.Memory>>20)},
			target: "< 150 MB", met: last.Memory < 150e6,
		})
	}
	return s
}
