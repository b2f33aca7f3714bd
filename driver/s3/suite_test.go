package s3_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/s3"
	"dataknobs.dev/dataknobs/drivertest"
	"dataknobs.dev/dataknobs/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

// A place is a bucket on one of the servers.
type place struct {
	*servers.S3Server
	raw    *awss3.Client
	bucket string
}

var places struct {
	mu sync.Mutex
	by map[string]*place // guarded by mu
}

// placeOn returns this package's bucket on a server.
func placeOn(t testing.TB, s *servers.S3Server) *place {
	t.Helper()
	places.mu.Lock()
	defer places.mu.Unlock()
	if p := places.by[s.Endpoint]; p != nil {
		return p
	}
	p := &place{S3Server: s}
	p.raw = awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.Endpoint), UsePathStyle: true,
		Credentials:                credentials.NewStaticCredentialsProvider(s.Key, s.Secret, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
	p.bucket = p.newBucket(t)
	if places.by == nil {
		places.by = map[string]*place{}
	}
	places.by[s.Endpoint] = p
	return p
}

func (p *place) newBucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("dataknobs-test-%08x", rand.Uint32())
	if _, err := p.raw.CreateBucket(context.Background(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatalf("CreateBucket on %s: %v", p.Name, err)
	}
	return name
}

// options are those of a store in a prefix of its own. LocalStack looks through
// the whole bucket for each listing, so there the store has one for itself.
func (p *place) options(t testing.TB) s3.Options {
	t.Helper()
	bucket := p.bucket
	if p.Name == "localstack" {
		bucket = p.newBucket(t)
	}
	return s3.Options{
		Bucket: bucket, Prefix: fmt.Sprintf("%016x/", rand.Uint64()), Endpoint: p.Endpoint, PathStyle: true,
		AccessKey: p.Key, SecretKey: p.Secret, Region: "us-east-1",
	}
}

func open(t testing.TB, o s3.Options) *dataknobs.DB {
	t.Helper()
	d, err := s3.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	db := dataknobs.New(d, &dataknobs.Options{Warn: o.Warn})
	t.Cleanup(func() { db.Close() })
	return db
}

// A config is one way to hold a store to the whole contract.
type config struct {
	change func(*s3.Options)
	alone  bool // what other handles write shows late
	brief  bool // random queries alone: each reads every record anew
}

func suite(t *testing.T, p *place, c config) {
	var used sync.Map // *dataknobs.DB → s3.Options
	start := func(t *testing.T, o s3.Options) *dataknobs.DB {
		db := open(t, o)
		used.Store(db, o)
		return db
	}
	of := func(db *dataknobs.DB) s3.Options {
		o, _ := used.Load(db)
		return o.(s3.Options)
	}
	h := drivertest.Harness{
		Slow: true,
		Open: func(t *testing.T) *dataknobs.DB {
			o := p.options(t)
			if c.change != nil {
				c.change(&o)
			}
			return start(t, o)
		},
		Reopen: func(t *testing.T, db *dataknobs.DB) *dataknobs.DB {
			db.Close()
			return start(t, of(db))
		},
	}
	if !c.alone {
		h.Beside = func(t *testing.T, db *dataknobs.DB) *dataknobs.DB { return start(t, of(db)) }
	}
	if c.brief {
		drivertest.Differential(t, h, drivertest.DifferentialOptions{Stores: 4, Queries: 60, Time: 15 * time.Second})
		return
	}
	if p.Name == "minio" {
		h.Differential = drivertest.DifferentialOptions{Stores: 2} // internal/fidelity does the rest
	}
	drivertest.Run(t, h)
}

// Each server is held to the whole contract once, and by random queries to what
// the caches change: each query that lists anew costs a server a request for
// each case of the suite.
func TestSuite(t *testing.T) {
	listed := func(o *s3.Options) { o.IndexTTL = time.Hour }
	for _, c := range []struct {
		name   string
		server func(testing.TB) *servers.S3Server
		config config
	}{
		{"localstack", servers.LocalStack, config{change: listed, alone: true}},
		{"minio", servers.MinIO, config{}},
		{"minio without caches", servers.MinIO, config{
			change: func(o *s3.Options) { o.BodyCache, o.IndexSize, o.Parallel = -1, 1, 8 }, brief: true,
		}},
		{"versitygw", servers.Versitygw, config{brief: true}},
		{"versitygw listed once", servers.Versitygw, config{change: listed, alone: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && c.name != "minio" {
				t.Skip("one server will do in a short run")
			}
			suite(t, placeOn(t, c.server(t)), c.config)
		})
	}
}
