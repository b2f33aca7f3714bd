package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
	"dataknobs.dev/dataknobs/codec/parquet"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// readWhole opens the bytes and reads every row of them, if they let it.
func readWhole(t testing.TB, data []byte) error {
	src := codec.Source{Name: "x.parquet", ReaderAt: bytes.NewReader(data), Size: int64(len(data))}
	f, err := parquet.Format{}.Open(t.Context(), src, nil)
	if err != nil {
		return err
	}
	defer f.Close()
	prune := &dataknobs.Cond{Path: dataknobs.Names("n"), Op: dataknobs.Ge, Args: []dataknobs.Value{dataknobs.Int(1)}}
	for _, e := range []dataknobs.Expr{nil, prune} {
		row := func(r codec.Row) error {
			_, err := r.Record()
			return err
		}
		s := &codec.Scan{Prune: e, Workers: 2, Begin: func(int) (codec.Visitor, error) { return visitor{row: row}, nil }}
		if err := f.Scan(t.Context(), s); err != nil {
			return err
		}
	}
	return nil
}

// legal reports whether err is one that a broken file may end in.
func legal(err error) bool {
	return errors.Is(err, dataknobs.DataLoss) || errors.Is(err, dataknobs.Unsupported)
}

var small = []string{"scalars", "scalars_plain", "nested_pages", "nested_v2", "many_encodings", "many_zstd", "many_lz4", "duckdb"}

// A file that ends early is never taken for a whole one.
func TestTruncated(t *testing.T) {
	for _, name := range small {
		data := read(t, name+".parquet")
		for n := 0; n < len(data); n += 1 + len(data)/300 {
			err := readWhole(t, data[:n])
			if !errors.Is(err, dataknobs.DataLoss) || !strings.Contains(err.Error(), "x.parquet") {
				t.Fatalf("%s cut to %d of %d bytes: %v", name, n, len(data), err)
			}
		}
	}
}

// Changed bytes may change values, where a file has no checksums, but never do
// worse than an error.
func TestFlipped(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range small {
		data := read(t, name+".parquet")
		for k := range 400 {
			bad := bytes.Clone(data)
			var where []string
			for range 1 + k%3 {
				at := rng.IntN(len(bad))
				bad[at] = byte(rng.IntN(256))
				where = append(where, fmt.Sprintf("%d:%d", at, bad[at]))
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := readWhole(t, bad)
			runtime.ReadMemStats(&after)
			if err != nil && !legal(err) {
				t.Errorf("%s with bytes %s: %v", name, where, err)
			}
			if grew := after.TotalAlloc - before.TotalAlloc; grew > 300<<20 {
				t.Errorf("%s with bytes %s: took %d MB (%v)", name, where, grew>>20, err)
			}
		}
	}
}

func TestNotParquet(t *testing.T) {
	for what, data := range map[string][]byte{
		"empty": nil, "text": []byte("a,b\n1,2\n1,2\n1,2\n"), "magic alone": []byte("PAR1PAR1"), "footer too long": []byte("PAR1xxxx\xff\xff\xff\x7fPAR1"),
		"no footer": []byte("PAR1\x00\x00\x00\x00PAR1"), "garbage": append([]byte("PAR1\xff\xff\xff\xff\x04\x00\x00\x00"), "PAR1"...),
	} {
		if err := readWhole(t, data); !errors.Is(err, dataknobs.DataLoss) {
			t.Errorf("%s: %v, want DataLoss", what, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range small {
		f.Add(read(f, name+".parquet"))
	}
	for _, s := range hostile.Seeds(hostile.Parquet) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := readWhole(t, data); err != nil && !legal(err) {
			t.Error(err)
		}
	})
}
