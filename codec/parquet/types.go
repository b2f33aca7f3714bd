package parquet

import (
	"math"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/codec"
)

// A conversion turns the values of a leaf into others: what the user declared,
// or what our own writer could only store as text.
type conversion struct {
	name  string // the kind, for errors
	kinds dataknobs.KindSet
	code  dataknobs.Code // of the error about a value that does not convert
	apply func(dataknobs.Value) (dataknobs.Value, bool)
}

// The kinds of columns in a layout beside the names of single kinds.
const (
	kindNumber = "number"
	kindJSON   = "json"
)

// jsonColumn reads the tagged JSON of our own writer.
var jsonColumn = &conversion{name: kindJSON, code: dataknobs.DataLoss, apply: func(v dataknobs.Value) (dataknobs.Value, bool) {
	x, err := parseTagged(v.Str())
	return x, err == nil
}}

// numberColumn reads numbers that each are an int or a float by their text.
var numberColumn = &conversion{
	name: kindNumber, code: dataknobs.DataLoss, kinds: dataknobs.KindsOf(dataknobs.KindInt, dataknobs.KindFloat),
	apply: func(v dataknobs.Value) (dataknobs.Value, bool) {
		if strings.ContainsAny(v.Str(), ".eE") {
			return toFloat(v)
		}
		return toInt(v)
	},
}

// applyLayout sets the conversions that a layout of our own writer asks for.
func applyLayout(cols []*node, l *codec.Layout) {
	for _, c := range l.Columns {
		for _, n := range cols {
			text := n.flat() && n.class == classString
			switch {
			case n.name != c.Name:
			case c.Kind == kindJSON && text:
				n.conv = jsonColumn
			case c.Kind == kindNumber && text:
				n.conv = numberColumn
			case c.Kind == dataknobs.KindNull.String() && n.flat():
				n.class = classNull
			}
		}
	}
	for _, n := range cols {
		if n.name == l.Meta && l.Meta != "" && n.flat() && n.class == classString {
			n.conv = jsonColumn
		}
	}
}

// applyTypes sets the conversions that the user declared.
func (f *file) applyTypes(cols []*node, types map[string]dataknobs.Kind) error {
	for name, k := range types {
		for _, n := range cols {
			if n.name != name {
				continue
			}
			if err := f.declare(n, k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *file) declare(n *node, k dataknobs.Kind) error {
	have := n.kinds()
	if have.Only(k) || n.class == classNull && n.flat() {
		return nil
	}
	apply := converters[k]
	if apply == nil || !n.flat() {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "%s: the column %s holds %s and cannot be read as %s", f.src.Name, n.path, have, k)
	}
	n.conv = &conversion{name: k.String(), kinds: dataknobs.KindsOf(k), code: dataknobs.InvalidArgument, apply: apply}
	return nil
}

var converters = map[dataknobs.Kind]func(dataknobs.Value) (dataknobs.Value, bool){
	dataknobs.KindString: toString,
	dataknobs.KindInt:    toInt,
	dataknobs.KindFloat:  toFloat,
	dataknobs.KindBool: func(v dataknobs.Value) (dataknobs.Value, bool) {
		b, err := strconv.ParseBool(v.Str())
		return dataknobs.Bool(b), err == nil && v.Len() >= 4
	},
	dataknobs.KindTime: func(v dataknobs.Value) (dataknobs.Value, bool) {
		return dataknobs.ParseTime(v.Str())
	},
	dataknobs.KindBytes: func(v dataknobs.Value) (dataknobs.Value, bool) {
		return dataknobs.Bytes([]byte(v.Str())), v.Kind() == dataknobs.KindString
	},
}

func toString(v dataknobs.Value) (dataknobs.Value, bool) {
	switch v.Kind() {
	case dataknobs.KindBytes:
		b := v.Bytes()
		return dataknobs.String(view(b)), textOK(b)
	case dataknobs.KindTime:
		return dataknobs.String(string(dataknobs.AppendTime(nil, v.Time()))), true
	}
	return dataknobs.String(v.String()), true
}

func toInt(v dataknobs.Value) (dataknobs.Value, bool) {
	switch v.Kind() {
	case dataknobs.KindFloat:
		f := v.Float()
		return dataknobs.Int(int64(f)), f == math.Trunc(f) && f >= -1<<63 && f < 1<<63
	case dataknobs.KindString:
		i, err := strconv.ParseInt(v.Str(), 10, 64)
		return dataknobs.Int(i), err == nil
	}
	return v, false
}

// toFloat refuses an int that a float cannot hold exactly.
func toFloat(v dataknobs.Value) (dataknobs.Value, bool) {
	switch v.Kind() {
	case dataknobs.KindInt:
		f := dataknobs.Float(v.Float())
		return f, v.Compare(f) == 0
	case dataknobs.KindString:
		f, err := strconv.ParseFloat(v.Str(), 64)
		return dataknobs.Float(f), err == nil && f-f == 0
	}
	return v, false
}
