package sqlite

import (
	"slices"
	"strings"

	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

// An affinity is what SQLite turns the values of a column into.
type affinity uint8

const (
	affinityBlob affinity = iota // nothing
	affinityText
	affinityNumeric
	affinityInteger
	affinityReal
)

// affinityOf follows SQLite's own rules.
func affinityOf(declared string) affinity {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(declared, w) })
	}
	switch {
	case has("INT"):
		return affinityInteger
	case has("CHAR", "CLOB", "TEXT"):
		return affinityText
	case declared == "" || declared == "ANY" || has("BLOB"):
		return affinityBlob
	case has("REAL", "FLOA", "DOUB"): //nolint:misspell // the letters that SQLite looks for
		return affinityReal
	}
	return affinityNumeric
}

// typeOf returns the type of a column that was declared so.
func typeOf(declared string) sqlgen.Type {
	base, _, _ := strings.Cut(declared, "(")
	switch strings.TrimSpace(base) {
	case "BOOL", "BOOLEAN":
		return sqlgen.Bool
	case "DATE":
		return sqlgen.Date
	case "DATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE":
		return sqlgen.Timestamp
	case "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE":
		return sqlgen.TimestampTZ
	case "JSON":
		return sqlgen.JSON
	case "JSON TEXT":
		return sqlgen.Tagged // as this package declares it
	case "ANY", "ANY BLOB", "":
		return sqlgen.Any
	}
	switch affinityOf(declared) {
	case affinityInteger:
		return sqlgen.Int
	case affinityText:
		return sqlgen.Text
	case affinityReal:
		return sqlgen.Float
	case affinityBlob:
		return sqlgen.Bytes
	}
	return sqlgen.Any
}

// typeNames are the words of the option types, besides SQL's own.
var typeNames = map[string]sqlgen.Type{
	"bool": sqlgen.Bool, "boolean": sqlgen.Bool, "int": sqlgen.Int, "integer": sqlgen.Int, "bigint": sqlgen.Int,
	"float": sqlgen.Float, "real": sqlgen.Float, "double": sqlgen.Float, "string": sqlgen.Text, "text": sqlgen.Text,
	"time": sqlgen.TimestampTZ, "timestamp": sqlgen.Timestamp, "datetime": sqlgen.Timestamp, "timestamptz": sqlgen.TimestampTZ,
	"date": sqlgen.Date, "bytes": sqlgen.Bytes, "blob": sqlgen.Bytes, "array": sqlgen.Tagged, "object": sqlgen.Tagged,
	"json": sqlgen.Tagged, "any": sqlgen.Any,
}
