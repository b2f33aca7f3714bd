package elasticsearch_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/elasticsearch"
	"dataknobs.dev/dataknobs/internal/hostile"
)

var (
	anyText   = rapid.StringMatching(`[a-cA-C%_é日😀\x01 ]{0,5}`)
	anyNumber = rapid.OneOf(
		rapid.Map(rapid.Int64(), dataknobs.Int),
		rapid.Map(rapid.SampledFrom([]int64{0, 1, -1, 1 << 53, 1<<53 + 1, -1<<53 - 1, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1}), dataknobs.Int),
		rapid.Map(rapid.Float64(), finite),
		rapid.Map(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, 1.5, 1 << 53, 1<<53 + 2, 1 << 63, -1 << 63, 5e-324, math.MaxFloat64, -math.MaxFloat64}), dataknobs.Float),
	)
)

func finite(f float64) dataknobs.Value {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		f = 0
	}
	return dataknobs.Float(f)
}

// anyValue draws a value of any kind, nested so deep at most.
func anyValue(depth int) *rapid.Generator[dataknobs.Value] {
	gens := []*rapid.Generator[dataknobs.Value]{
		rapid.Map(rapid.Bool(), dataknobs.Bool),
		anyNumber, anyNumber,
		rapid.Map(anyText, dataknobs.String),
		rapid.Map(rapid.SampledFrom([]int64{0, 1, -1, 999_999, 1_000_000, 10_000_000, 60_000_000, -62135596800_000_000, 253402300799_999_999}), dataknobs.TimeMicros),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 4), dataknobs.Bytes),
	}
	if depth > 0 {
		inner := rapid.OneOf(anyValue(depth-1), rapid.Just(dataknobs.Null()))
		gens = append(gens,
			rapid.Map(rapid.SliceOfN(inner, 0, 3), func(vs []dataknobs.Value) dataknobs.Value { return dataknobs.Array(vs...) }),
			rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-c.$]{1,2}`), inner, 0, 3), func(m map[string]dataknobs.Value) dataknobs.Value {
				f := dataknobs.Fields{}
				for name, v := range m {
					f = append(f, dataknobs.Field{Name: name, Value: v})
				}
				return dataknobs.Object(f)
			}))
	}
	return rapid.OneOf(gens...)
}

func TestKeysOrderAsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := anyValue(3).Draw(t, "v"), anyValue(3).Draw(t, "w")
		got, want := strings.Compare(elasticsearch.KeyOf(v), elasticsearch.KeyOf(w)), v.Compare(w)
		if got != want {
			t.Fatalf("the keys %q and %q of %s and %s compare as %d, wanted %d", elasticsearch.KeyOf(v), elasticsearch.KeyOf(w), v, w, got, want)
		}
	})
}

func TestKeysOrderNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := anyNumber.Draw(t, "v"), anyNumber.Draw(t, "w")
		if got, want := strings.Compare(elasticsearch.KeyOf(v), elasticsearch.KeyOf(w)), v.Compare(w); got != want {
			t.Fatalf("the keys of %s and %s compare as %d, wanted %d", v, w, got, want)
		}
	})
}

func TestKeysTellValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(0).Draw(t, "v")
		got, ok := elasticsearch.ValueOfKey(elasticsearch.KeyOf(v))
		if !ok || !got.Equal(v) {
			t.Fatalf("the key %q of %s tells %s, %v", elasticsearch.KeyOf(v), v, got, ok)
		}
	})
}

func TestLongKeys(t *testing.T) {
	long := strings.Repeat("ä", 2000)
	a, b, c := dataknobs.String(long+"a"), dataknobs.String(long+"b"), dataknobs.String("z")
	ka, kb, kc := elasticsearch.KeyOf(a), elasticsearch.KeyOf(b), elasticsearch.KeyOf(c)
	switch {
	case !elasticsearch.IsCut(ka) || !elasticsearch.IsCut(kb) || elasticsearch.IsCut(kc):
		t.Error("long keys are to be cut, short ones are not")
	case ka == kb || ka != elasticsearch.KeyOf(a):
		t.Error("cut keys are to be equal exactly where the values are")
	case ka < kc:
		t.Error("a cut key lost its place among those that begin otherwise")
	case len(ka) > 1100:
		t.Errorf("a cut key has %d bytes", len(ka))
	}
	if _, ok := elasticsearch.ValueOfKey(ka); ok {
		t.Error("a cut key tells a value")
	}
}

func TestDocumentsKeepRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.OneOf(rapid.StringMatching(`[a-c.%/\[\]_"\\ ]{1,4}`), rapid.SampledFrom([]string{"_dk", "_source", "_seq_no", "%5Fdk", " ", "\u2028", "a.b", "..", "odd"})), 0, 5, rapid.ID[string])
		r := dataknobs.NewRecord("x")
		for _, n := range names.Draw(t, "names") {
			if !dataknobs.IsSystemName(n) {
				r.Set(n, rapid.OneOf(anyValue(3), rapid.Just(dataknobs.Null())).Draw(t, "value"))
			}
		}
		if rapid.Bool().Draw(t, "meta") {
			r.Metadata = dataknobs.Fields{{Name: "m", Value: anyValue(2).Draw(t, "meta value")}}
		}
		doc := elasticsearch.Document(r, "a", "b", "_dk", "a.b")
		got, err := elasticsearch.ReadDocument("x", doc)
		if err != nil || !got.Identical(r) {
			t.Fatalf("the document %s\n reads as %v %v, %v\n wanted   %v %v", doc, got.Fields, got.Metadata, err, r.Fields, r.Metadata)
		}
	})
}

func TestColumnsAreApart(t *testing.T) {
	paths := []dataknobs.Path{
		dataknobs.Names("a", "b"), dataknobs.Names("a/b"), dataknobs.Names("a.b"), dataknobs.Names("a%2Fb"), dataknobs.Names("a%2Eb"), dataknobs.Names("a"),
		dataknobs.Names(" "), dataknobs.Names("  "), dataknobs.Names("%20"), dataknobs.Names("\u2028"), dataknobs.Names("_meta", "a"), dataknobs.Names("A"),
		dataknobs.Names(strings.Repeat("x", 255), strings.Repeat("y", 255)), dataknobs.Names(strings.Repeat("x", 255), strings.Repeat("y", 254)+"z"),
		dataknobs.Names(strings.Repeat("x", 255), strings.Repeat("y", 254)+"~"),
	}
	seen := map[string]dataknobs.Path{}
	for _, p := range paths {
		c, ok := elasticsearch.ColumnOf(p)
		if !ok || strings.ContainsAny(c, ".*") || strings.TrimSpace(c) == "" || len(c) > 310 {
			t.Errorf("the column of %s is %q, %v", p, c, ok)
		}
		if other := seen[c]; other != nil {
			t.Errorf("%s and %s have the same column %q", p, other, c)
		}
		seen[c] = p
	}
	for _, p := range []dataknobs.Path{dataknobs.P("a[0]"), dataknobs.P("a[0].b"), dataknobs.PathMetadata, dataknobs.PathRevision} {
		if c, ok := elasticsearch.ColumnOf(p); ok {
			t.Errorf("%s has a column %q, wanted none", p, c)
		}
	}
}

func TestSourceNames(t *testing.T) {
	for name, want := range map[string]string{
		"plain": "plain", "unit price": "unit price", "a.b": "a%2Eb", "50%": "50%25", "_source": "%5Fsource", "_dk": "%5Fdk",
		"_mine": "_mine", " ": "%20", "é": "é", "..": "%2E%2E",
	} {
		if got := elasticsearch.SourceName(name); got != want || elasticsearch.Unescape(got) != name {
			t.Errorf("the name %q stands as %q, wanted %q, and reads as %q", name, got, want, elasticsearch.Unescape(got))
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"pit_id":"x","hits":{"hits":[{"_id":"a","_seq_no":1,"_primary_term":1,"_source":{"_dk":{"times":["t","a[0]/b"]},"t":"2026-01-02T03:04:05.000000Z"},"sort":["4a",null]}]}}`))
	f.Add([]byte(`{"items":[{"create":{"status":201,"_seq_no":1,"_primary_term":1}},{"index":{"status":400,"error":{"type":"x","reason":"\ud83d\ude00\"\\"}}}]}`))
	f.Add([]byte(`{"hits":{"hits":[{"_source":{"_dk":{"times":["[0]"],"bytes":["a"]},"a":[1]}}]}}`))
	for _, l := range hostile.Elasticsearch {
		if len(l.Body) <= hostile.Most {
			f.Add([]byte(l.Body))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = elasticsearch.ReadAnswer(b)
		if rec, err := elasticsearch.ReadDocument("x", b); err == nil && rec == nil {
			t.Error("neither a record nor an error")
		}
	})
}
