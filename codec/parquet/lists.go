package parquet

import (
	"strings"

	"dataknobs.dev/dataknobs"
)

// scalarKinds are the kinds that a column, or the elements of a column of
// arrays, can have as they are.
var scalarKinds = []dataknobs.Kind{
	dataknobs.KindBool, dataknobs.KindInt, dataknobs.KindFloat, dataknobs.KindTime, dataknobs.KindString, dataknobs.KindBytes,
}

// listKind returns the kind in a layout of arrays whose elements are all of one
// scalar kind, such as "array<int>"; false if kinds is not that.
func listKind(kinds dataknobs.KindSet) (string, bool) {
	for _, k := range scalarKinds {
		if kinds.Only(k) {
			return "array<" + k.String() + ">", true
		}
	}
	return "", false
}

// parseListKind returns the kind of the elements of a "array<int>".
func parseListKind(name string) (dataknobs.Kind, bool) {
	inner, ok := strings.CutPrefix(name, "array<")
	inner, closed := strings.CutSuffix(inner, ">")
	if !ok || !closed {
		return 0, false
	}
	for _, k := range scalarKinds {
		if k.String() == inner {
			return k, true
		}
	}
	return 0, false
}
