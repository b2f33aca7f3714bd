package sqlgen

import (
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

func textOf(cell any) (string, bool) {
	switch x := cell.(type) {
	case string:
		return x, true
	case []byte:
		return string(x), true
	}
	return "", false
}

func readString(cells []any) (dataknobs.Value, bool, error) {
	if cells[0] == nil {
		return dataknobs.Value{}, true, nil
	}
	s, ok := textOf(cells[0])
	return dataknobs.String(strings.Clone(s)), ok, nil
}

func readInt(cells []any) (dataknobs.Value, bool, error) {
	i, ok := cells[0].(int64)
	return dataknobs.Int(i), ok, nil
}

// surely reports whether a value stands for its whole group: of 1 and 1.0 the
// database shows one, and the int is wanted; the members of equal arrays and
// objects may differ so too.
func surely(v dataknobs.Value) bool {
	switch v.Kind() {
	case dataknobs.KindFloat:
		_, whole := wholeInt(v)
		return !whole
	case dataknobs.KindArray, dataknobs.KindObject:
		return false
	}
	return true
}

func readJSON(cells []any) (dataknobs.Value, bool, error) {
	if cells[0] == nil {
		return dataknobs.Value{}, true, nil
	}
	text, _ := textOf(cells[0])
	v, err := ParseValue([]byte(text))
	return v, surely(v), err
}

// readRanked reads a rank and a value of SQLite.
func readRanked(cells []any) (dataknobs.Value, bool, error) {
	rank, ok := cells[0].(int64)
	if !ok {
		return dataknobs.Value{}, cells[0] == nil, nil
	}
	switch x := cells[1].(type) {
	case int64:
		if rank == rankBool {
			return dataknobs.Bool(x != 0), true, nil
		}
		return dataknobs.Int(x), rank == rankNumber, nil
	case float64:
		v := dataknobs.Float(x)
		return v, surely(v), nil
	case nil:
		return dataknobs.Value{}, false, nil
	}
	text, _ := textOf(cells[1])
	if rank == rankTime {
		v, ok := dataknobs.ParseTime(text)
		return v, ok, nil
	}
	return dataknobs.String(strings.Clone(text)), rank == rankString, nil
}

// readExtreme reads the ranks, a number and a text of PostgreSQL.
func readExtreme(cells []any) (dataknobs.Value, bool, error) {
	switch {
	case cells[0] == nil:
		return dataknobs.Value{}, true, nil
	case cells[0] != cells[1]:
		return dataknobs.Value{}, false, nil
	}
	if cells[0] == int64(rankNumber) {
		return readJSON(cells[2:3])
	}
	text, _ := textOf(cells[3])
	switch cells[0] {
	case int64(rankBool):
		return dataknobs.Bool(text == "true"), true, nil
	case int64(rankTime):
		v, ok := dataknobs.ParseTime(text)
		return v, ok, nil
	case int64(rankString):
		return dataknobs.String(strings.Clone(text)), true, nil
	}
	return dataknobs.Value{}, false, nil
}

// readPostgres reads a value of the column in the form of pgColumn.shown.
func (c *Column) readPostgres(cells []any) (dataknobs.Value, bool, error) {
	text, isText := textOf(cells[0])
	switch x := cells[0].(type) {
	case nil:
		return dataknobs.Value{}, true, nil
	case bool:
		return dataknobs.Bool(x), true, nil
	case int64:
		if c.Type == Float {
			return dataknobs.Float(float64(x)), true, nil
		}
		return dataknobs.Int(x), true, nil
	case float64:
		return dataknobs.Float(x), x-x == 0, nil
	}
	if !isText {
		return dataknobs.Value{}, false, nil
	}
	switch c.class() {
	case classTime:
		v, ok := ParseTimeText([]byte(text))
		return v, ok, nil
	case classBytes:
		b, err := hex.DecodeString(text)
		return dataknobs.AdoptBytes(b), err == nil, nil
	case classNumber:
		if c.Type == Float {
			f, err := strconv.ParseFloat(text, 64)
			return dataknobs.Float(f), err == nil && f-f == 0, nil
		}
		return NumberText(text), true, nil
	case classBool:
		return dataknobs.Bool(text == "t" || text == "true"), true, nil
	}
	return dataknobs.String(strings.Clone(text)), true, nil
}

// readLite reads a value of the column as SQLite has it.
func (c *Column) readLite(cells []any) (dataknobs.Value, bool, error) {
	switch x := cells[0].(type) {
	case nil:
		return dataknobs.Value{}, true, nil
	case int64:
		switch {
		case c.Type == Bool && (x == 0 || x == 1):
			return dataknobs.Bool(x == 1), true, nil
		case c.Type == Float && c.Checked:
			return dataknobs.Float(float64(x)), true, nil
		}
		return dataknobs.Int(x), true, nil
	case float64:
		v := dataknobs.Float(x)
		return v, !math.IsInf(x, 0) && (surely(v) || c.Type == Float && c.Checked), nil
	case []byte:
		return dataknobs.Bytes(x), true, nil
	case string:
		if c.class() == classTime {
			return c.timeOf(x)
		}
		return dataknobs.String(strings.Clone(x)), true, nil
	}
	return dataknobs.Value{}, false, nil
}

func (c *Column) timeOf(text string) (dataknobs.Value, bool, error) {
	v, ok := dataknobs.ParseTime(text)
	return v, ok, nil
}

// bigOf reads a sum of ints; false if it has a point, so that there was a float.
func bigOf(cell any) (*big.Int, bool) {
	if i, ok := cell.(int64); ok {
		return big.NewInt(i), true
	}
	text, ok := textOf(cell)
	if !ok {
		return nil, false
	}
	return new(big.Int).SetString(text, 10)
}

// sumOf is a sum as a value. The engine says what is wrong with one that
// overflows.
func sumOf(i *big.Int) (dataknobs.Value, bool, error) {
	if !i.IsInt64() {
		return dataknobs.Value{}, false, nil
	}
	return dataknobs.Int(i.Int64()), true, nil
}

// average divides exactly and rounds once.
func average(sum *big.Int, n int64) (dataknobs.Value, bool, error) {
	f, _ := new(big.Rat).SetFrac(sum, big.NewInt(n)).Float64()
	return dataknobs.Float(f), true, nil
}

func readSum(cells []any) (dataknobs.Value, bool, error) {
	if cells[0] == nil {
		return dataknobs.Value{}, true, nil
	}
	i, ok := bigOf(cells[0])
	if !ok {
		return dataknobs.Value{}, false, nil
	}
	return sumOf(i)
}

func readAvg(cells []any) (dataknobs.Value, bool, error) {
	n, _ := cells[1].(int64)
	if cells[0] == nil || n == 0 {
		return dataknobs.Value{}, true, nil
	}
	i, ok := bigOf(cells[0])
	if !ok {
		return dataknobs.Value{}, false, nil
	}
	return average(i, n)
}

// halfSum puts the halves together; false if there was a float.
func halfSum(cells []any) (sum *big.Int, n int64, ok bool) {
	if real, _ := cells[3].(int64); real != 0 {
		return nil, 0, false
	}
	hi, _ := cells[0].(int64)
	lo, _ := cells[1].(int64)
	n, _ = cells[2].(int64)
	sum = new(big.Int).Lsh(big.NewInt(hi), 32)
	return sum.Add(sum, big.NewInt(lo)), n, true
}

func readHalves(cells []any) (dataknobs.Value, bool, error) {
	sum, n, ok := halfSum(cells)
	switch {
	case !ok:
		return dataknobs.Value{}, false, nil
	case n == 0:
		return dataknobs.Value{}, true, nil
	}
	return sumOf(sum)
}

func readHalvesAvg(cells []any) (dataknobs.Value, bool, error) {
	sum, n, ok := halfSum(cells)
	switch {
	case !ok:
		return dataknobs.Value{}, false, nil
	case n == 0:
		return dataknobs.Value{}, true, nil
	}
	return average(sum, n)
}
