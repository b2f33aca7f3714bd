package sqlgen_test

import (
	"math"

	"pgregory.net/rapid"

	"dataknobs.dev/dataknobs"
)

// The values at which databases go wrong.
var (
	oddInts = []int64{0, 1, -1, 2, 5, 10, 42, 255, 32767, 32768, math.MaxInt32, math.MaxInt32 + 1, math.MinInt32, 1<<53 - 1, 1 << 53, 1<<53 + 1,
		-(1<<53 + 1), 1 << 60, 1<<60 + 1, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1}
	oddFloats = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 0.1, 0.2, 0.30000000000000004, 1.5, 2, 42, 1e-7, 1.0000000000000002, 0.1234567890123456789,
		123456789.12345679, 1<<53 - 1, 1 << 53, 1<<53 + 2, 1 << 60, 1 << 63, -(1 << 63), 1e18, 1e19, 1e21, 1e22, 1e300, -1e300,
		math.MaxFloat64, -math.MaxFloat64, 5e-324, 2.2250738585072014e-308, 1e-10, 9007199254740993.0, 4611686018427387904.5, 179.5, 2.5e-5}
	oddTexts = []string{"", "a", "A", "b", "ab", "abc", "ABC", "x", "%", "_", "a%", "a_c", `\`, `a\b`, "'", `"`, "''", "it's", "a\nb", "\n", "a b", " ", "é", "e\u0301",
		"É", "😀", "😀x", "K", "k", "\u212a", "s", "ſ", "S", "ß", "ẞ", "İ", "ı", "i", "I", "σ", "ς", "Σ", "ǅ", "ǆ", "\u00b5", "μ", "true", "null", "1", "10", "2", "[1]", `{"a": 1}`, "[", "]", "*", "?", "^", "$", "(", ".",
		"2026-01-02T03:04:05.000000Z", "2026-01-02", "zz", "z\U0010ffff", "\ufffd", "\uffff", "\U0010ffff", "~", "\x7f", "\x01", "a\tb", "Straße", "STRASSE", "NaN", "Infinity"}
	oddTimes = []int64{0, 1, -1, -62135596800_000_000, 253402300799_999_999, 1767323045_000000, 1767323045_000001, 1767312000_000000, 951782400_000000}
	names    = []string{"a", "b", "x", "a b", "0", "1", "-1", "a.b", "$x", "$time", "$$x", "$", `"`, `'`, `\`, `a\"b`, "é", "😀", "a\nb", "[0]", "%", "?", ":x", "$1", "", "#", "`"}[:24]
)

func text() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(oddTexts), rapid.SampledFrom(oddTexts),
		rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom(oddTexts).Draw(t, "head") + rapid.SampledFrom(oddTexts).Draw(t, "tail")
		}),
		rapid.StringOfN(rapid.RuneFrom([]rune("abkKsS%_\\ é😀'\"\n")), 0, 5, -1))
}

func number() *rapid.Generator[dataknobs.Value] {
	return rapid.OneOf(
		rapid.Map(rapid.SampledFrom(oddInts), dataknobs.Int),
		rapid.Map(rapid.SampledFrom(oddFloats), dataknobs.Float),
		rapid.Map(rapid.Int64Range(-5, 5), dataknobs.Int),
		rapid.Map(rapid.Int64(), dataknobs.Int),
		rapid.Map(rapid.Custom(finite), dataknobs.Float),
		rapid.Custom(func(t *rapid.T) dataknobs.Value { // the neighbours of a number
			f := rapid.SampledFrom(oddFloats).Draw(t, "near")
			if g := math.Nextafter(f, rapid.SampledFrom([]float64{math.Inf(1), math.Inf(-1)}).Draw(t, "to")); !math.IsInf(g, 0) {
				return dataknobs.Float(g)
			}
			return dataknobs.Float(f)
		}))
}

func finite(t *rapid.T) float64 {
	f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0.25
	}
	return f
}

func instant() *rapid.Generator[dataknobs.Value] {
	return rapid.OneOf(rapid.Map(rapid.SampledFrom(oddTimes), dataknobs.TimeMicros),
		rapid.Map(rapid.Int64Range(-62135596800_000_000, 253402300799_999_999), dataknobs.TimeMicros))
}

func blob() *rapid.Generator[dataknobs.Value] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0x7f, 0x80, 0xff}), 0, 3), dataknobs.Bytes)
}

// value draws a value of any kind, nested no deeper than depth.
func value(depth int) *rapid.Generator[dataknobs.Value] {
	gens := []*rapid.Generator[dataknobs.Value]{
		rapid.Just(dataknobs.Null()),
		rapid.Map(rapid.Bool(), dataknobs.Bool),
		number(), number(),
		rapid.Map(text(), dataknobs.String), rapid.Map(text(), dataknobs.String),
		instant(), blob(),
	}
	if depth > 0 {
		gens = append(gens, array(depth-1), object(depth-1))
	}
	return rapid.OneOf(gens...)
}

func array(depth int) *rapid.Generator[dataknobs.Value] {
	return rapid.Map(rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[dataknobs.Value] { return value(depth) }), 0, 3),
		func(vs []dataknobs.Value) dataknobs.Value { return dataknobs.Array(vs...) })
}

func object(depth int) *rapid.Generator[dataknobs.Value] {
	return rapid.Map(fields(depth, 3), dataknobs.Object)
}

func fields(depth, most int) *rapid.Generator[dataknobs.Fields] {
	return rapid.Custom(func(t *rapid.T) dataknobs.Fields {
		f := dataknobs.Fields{}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, most, rapid.ID[string]).Draw(t, "names") {
			f = append(f, dataknobs.Field{Name: name, Value: value(depth).Draw(t, "value")})
		}
		return f
	})
}
