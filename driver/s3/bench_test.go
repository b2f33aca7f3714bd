package s3_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/s3"
	"dataknobs.dev/dataknobs/internal/servers"
)

const benchRecords = 1000

func benchRecord(id string, i int) *dataknobs.Record {
	return rec(id, "carrier", "UA", "flight", i, "origin", "EWR", "dest", "IAH", "dep_delay", -2.5, "distance", 1400, "tailnum", fmt.Sprint("N", i), "hour", i%24)
}

// rawClient is the SDK as a careful user would set it up for so many requests.
func rawClient(p *place, endpoint string, parallel int) *awss3.Client {
	return awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), UsePathStyle: true,
		Credentials:                aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(p.Key, p.Secret, "")),
		HTTPClient:                 s3.RawHTTPClient(parallel),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}

func each(n, parallel int, f func(i int) error) error {
	work := make(chan int)
	errs := make(chan error, parallel)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for i := range work {
				if err := f(i); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// BenchmarkBatch compares batches with the SDK alone at the same concurrency.
func BenchmarkBatch(b *testing.B) {
	p := placeOn(b, servers.MinIO(b))
	const parallel = 64
	body := []byte(`{"carrier":"UA","flight":1545,"origin":"EWR","dest":"IAH","dep_delay":-2.5,"distance":1400,"tailnum":"N14228","hour":5}`)
	for _, rtt := range []time.Duration{0, 20 * time.Millisecond} {
		endpoint := p.Endpoint
		if rtt > 0 {
			addr, stop, err := servers.Lag(p.Endpoint[len("http://"):], rtt)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(stop)
			endpoint = "http://" + addr
		}
		report := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*benchRecords), "µs/record")
		}
		b.Run(fmt.Sprintf("rtt=%s/create/sdk", rtt), func(b *testing.B) {
			raw := rawClient(p, endpoint, parallel)
			for n := range b.N {
				err := each(benchRecords, parallel, func(i int) error {
					_, err := raw.PutObject(context.Background(), &awss3.PutObjectInput{
						Bucket: &p.bucket, Key: aws.String(fmt.Sprintf("raw%s/%d/%05d.json", rtt, n, i)), Body: bytes.NewReader(body), IfNoneMatch: aws.String("*"),
					})
					return err
				})
				if err != nil && b.N == 1 {
					b.Log(err)
				}
			}
			report(b)
		})
		b.Run(fmt.Sprintf("rtt=%s/create/dataknobs", rtt), func(b *testing.B) {
			s := p.open(b, func(o *s3.Options) { o.Endpoint = endpoint })
			s.create(b, rec("first"))
			for n := 0; b.Loop(); n++ {
				recs := make([]*dataknobs.Record, benchRecords)
				for i := range recs {
					recs[i] = benchRecord(fmt.Sprintf("%d-%05d", n, i), i)
				}
				s.create(b, recs...)
			}
			report(b)
		})
		s := p.open(b, func(o *s3.Options) { o.Endpoint, o.BodyCache = endpoint, -1 })
		ids := make([]string, benchRecords)
		recs := make([]*dataknobs.Record, benchRecords)
		for i := range recs {
			ids[i] = fmt.Sprintf("%05d", i)
			recs[i] = benchRecord(ids[i], i)
		}
		s.create(b, recs...)
		b.Run(fmt.Sprintf("rtt=%s/read/sdk", rtt), func(b *testing.B) {
			raw := rawClient(p, endpoint, parallel)
			for b.Loop() {
				err := each(benchRecords, parallel, func(i int) error {
					out, err := raw.GetObject(context.Background(), &awss3.GetObjectInput{Bucket: &p.bucket, Key: aws.String(s.o.Prefix + ids[i] + ".json")})
					if err == nil {
						_, err = io.Copy(io.Discard, out.Body)
						out.Body.Close()
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			report(b)
		})
		b.Run(fmt.Sprintf("rtt=%s/read/dataknobs", rtt), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.GetMany(b.Context(), ids); err != nil {
					b.Fatal(err)
				}
			}
			report(b)
		})
		b.Run(fmt.Sprintf("rtt=%s/search/first", rtt), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.All(b.Context(), dataknobs.MustParse("hour = 7")); err != nil {
					b.Fatal(err)
				}
			}
			report(b)
		})
		b.Run(fmt.Sprintf("rtt=%s/search/again", rtt), func(b *testing.B) {
			o := s.o
			o.BodyCache = 256 << 20
			h := p.again(b, o)
			for range 2 {
				if _, err := h.All(b.Context(), dataknobs.MustParse("hour = 7")); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := h.All(b.Context(), dataknobs.MustParse("hour = 7")); err != nil {
					b.Fatal(err)
				}
			}
			report(b)
		})
	}
}
