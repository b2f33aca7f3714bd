package elasticsearch_test

import (
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/drivertest"
)

func someFlights(b *testing.B) []*dataknobs.Record {
	b.Helper()
	file, err := dataknobs.Open(b.Context(), "file:../../examples/data/flights.csv?nulls=NA", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	recs, err := file.All(b.Context(), must(dataknobs.Parse("limit 1000")))
	if err != nil {
		b.Fatal(err)
	}
	return recs
}

func BenchmarkEncode(b *testing.B) {
	recs := someFlights(b)
	encode := elasticsearch.Encoder(recs[0])
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		b.SetBytes(int64(encode(recs[i%len(recs)])))
		i++
	}
}

func BenchmarkDecode(b *testing.B) {
	recs := someFlights(b)
	decode := elasticsearch.Decoder(recs)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		b.SetBytes(int64(decode(i % len(recs))))
		i++
	}
}

func BenchmarkDriver(b *testing.B) {
	drivertest.Bench(b, func(b *testing.B) *dataknobs.DB { return openNew(b) })
}
