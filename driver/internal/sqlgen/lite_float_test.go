package sqlgen_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// SQLite reads the decimals of JSON as the floats that they were.
func TestLiteReadsFloats(t *testing.T) {
	s := openLite(t)
	r := rand.New(rand.NewPCG(7, 7))
	var all []dataknobs.Value
	for i := range 20000 {
		f := math.Float64frombits(r.Uint64())
		switch {
		case i < len(oddFloats):
			f = oddFloats[i]
		case i%3 == 0:
			f = r.NormFloat64() * math.Pow(10, float64(r.IntN(20)))
		}
		if !math.IsNaN(f) && !math.IsInf(f, 0) {
			all = append(all, dataknobs.Float(f))
		}
	}
	b, err := sqlgen.AppendValue(nil, dataknobs.Array(all...))
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range s.rows(t, "SELECT value FROM json_each(?) ORDER BY key", string(b)) {
		if row[0] != all[i].Float() {
			t.Errorf("%s is %v in SQLite", all[i], row[0])
		}
	}
}
