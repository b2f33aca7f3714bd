package csv

import (
	"bytes"
	"math/bits"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec/internal/lex"
)

// marks is a set of what cells of a column look like.
type marks uint8

const (
	markNull marks = 1 << iota
	markInt
	markFloat
	markBool
	markTime
	markString
	markDone // all cells of the file have been looked at

	markNumber = markInt | markFloat
)

// A reading is how the cells of a column are read.
type reading uint8

const (
	asInferred reading = iota // by the marks of all cells
	asNumber                  // each cell int or float by its text
	asBool
	asTime
	asString
	// Only declared: a cell that is none is an error, as are those of declared
	// number, bool and time columns.
	asInt
	asFloat
	asBytes
	asJSON
)

// reading returns how a column is read whose cells have the marks m.
func (m marks) reading() reading {
	switch k := m &^ (markNull | markDone); {
	case k&^markNumber == 0: // also a column of nulls alone
		return asNumber
	case k == markBool:
		return asBool
	case k == markTime:
		return asTime
	}
	return asString
}

// settled reports whether no further cell can change how the column is read.
func (m marks) settled() bool {
	k := m &^ (markNull | markDone)
	if k&markNumber != 0 {
		k = k&^markNumber | markInt
	}
	return m&(markString|markDone) != 0 || bits.OnesCount8(uint8(k)) > 1
}

// kinds returns the set of kinds of a column whose cells have the marks m.
// Null is always among them: nobody counts the empty cells of a string column.
func (m marks) kinds() dataknobs.KindSet {
	s := dataknobs.KindsOf(dataknobs.KindNull)
	switch m.reading() {
	case asBool:
		return s.With(dataknobs.KindBool)
	case asTime:
		return s.With(dataknobs.KindTime)
	case asString:
		return s.With(dataknobs.KindString)
	}
	if m&markInt != 0 {
		s = s.With(dataknobs.KindInt)
	}
	if m&markFloat != 0 {
		s = s.With(dataknobs.KindFloat)
	}
	return s
}

// kinds returns the kinds that a declared reading can give.
func (a reading) kinds() dataknobs.KindSet {
	s := dataknobs.KindsOf(dataknobs.KindNull)
	switch a {
	case asNumber:
		return s.With(dataknobs.KindInt).With(dataknobs.KindFloat)
	case asBool:
		return s.With(dataknobs.KindBool)
	case asTime:
		return s.With(dataknobs.KindTime)
	case asInt:
		return s.With(dataknobs.KindInt)
	case asFloat:
		return s.With(dataknobs.KindFloat)
	case asBytes:
		return s.With(dataknobs.KindBytes)
	case asJSON:
		return 0
	}
	return s.With(dataknobs.KindString)
}

// readings are the names that a layout has for declared readings.
var readings = map[string]reading{
	"number": asNumber, "bool": asBool, "time": asTime, "string": asString,
	"int": asInt, "float": asFloat, "bytes": asBytes, "json": asJSON,
	"array": asJSON, "object": asJSON,
	"null": asInferred, // a column that was empty when the layout was made
}

// layoutKind returns the name of a reading in a layout.
func (a reading) layoutKind() string {
	for _, k := range []string{"number", "bool", "time", "string", "int", "float", "bytes"} {
		if readings[k] == a {
			return k
		}
	}
	return "json"
}

// classify returns the one mark of a cell's text that is not null.
func classify(b []byte) marks {
	if len(b) == 0 {
		return markString
	}
	switch c := b[0]; {
	case c-'0' <= 9:
		if len(b) >= 20 && b[4] == '-' {
			if _, ok := lex.ParseTime(b); ok {
				return markTime
			}
			return markString
		}
		return classifyNumber(b)
	case c == '-' || c == '.':
		return classifyNumber(b)
	case c|0x20 == 't' || c|0x20 == 'f':
		if _, ok := parseBool(b); ok {
			return markBool
		}
	}
	return markString
}

func classifyNumber(b []byte) marks {
	v, ok := parseNumber(b)
	switch {
	case !ok:
		return markString
	case v.Kind() == dataknobs.KindInt:
		return markInt
	}
	return markFloat
}

// parseNumber reads all of b as a number; besides JSON's grammar it takes .5 and 5. as floats.
func parseNumber(b []byte) (dataknobs.Value, bool) {
	v, n, r := lex.ParseNumber(b)
	if r == lex.Number && n == len(b) {
		return v, true
	}
	if r == lex.Overflow || !bytes.ContainsRune(b, '.') {
		return dataknobs.Value{}, false
	}
	return looseNumber(b)
}

// looseNumber reads a float that lacks the digits on one side of its point.
func looseNumber(b []byte) (dataknobs.Value, bool) {
	p := bytes.IndexByte(b, '.')
	full := make([]byte, 0, len(b)+2)
	full = append(full, b[:p]...)
	before, after := isDigit(b, p-1), isDigit(b, p+1)
	switch {
	case before == after: // 1.x, or no digits at all
		return dataknobs.Value{}, false
	case !before:
		full = append(full, '0')
	}
	full = append(full, '.')
	if !after {
		full = append(full, '0')
	}
	full = append(full, b[p+1:]...)
	v, n, r := lex.ParseNumber(full)
	return v, r == lex.Number && n == len(full)
}

func isDigit(b []byte, i int) bool { return i >= 0 && i < len(b) && b[i]-'0' <= 9 }

// parseBool reads true and false in any case.
func parseBool(b []byte) (v, ok bool) {
	switch {
	case len(b) == 4 && bytes.EqualFold(b, []byte("true")):
		return true, true
	case len(b) == 5 && bytes.EqualFold(b, []byte("false")):
		return false, true
	}
	return false, false
}
