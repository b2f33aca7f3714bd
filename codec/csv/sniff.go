package csv

import (
	"bytes"

	"dataknobs.dev/dataknobs/codec"
)

// delimiters are those that are looked for, in the order of preference.
const delimiters = ",\t;|"

// sniffLines is how many rows the delimiter is looked for in.
const sniffLines = 50

// findDelimiter settles the delimiter from the first rows, unless it was given.
func (f *file) findDelimiter(head []byte) {
	if f.delim = f.o.CSV.Delimiter; f.delim == 0 {
		f.delim = sniff(head)
	}
}

// sniff returns the delimiter of which every one of the first rows has the same
// number, outside quotes; of several the one with the most cells. Where no
// character is that regular, it is the one that most rows have as many of as the first
// row, and a comma where there is none of any.
func sniff(head []byte) byte {
	rows := countDelimiters(head)
	best, bestSame, bestCount := byte(','), 0, 0
	for k := range len(delimiters) {
		count, same := 0, 0
		for i, r := range rows {
			if i == 0 {
				count = r[k]
			}
			if r[k] == count {
				same++
			}
		}
		if count > 0 && (same > bestSame || same == bestSame && count > bestCount) {
			best, bestSame, bestCount = delimiters[k], same, count
		}
	}
	return best
}

// countDelimiters counts, for each of the first rows, the delimiters outside
// quotes. The last row, which may be cut, counts only if it is the only one.
func countDelimiters(head []byte) [][len(delimiters)]int {
	var rows [][len(delimiters)]int
	var row [len(delimiters)]int
	quoted, blank := false, true
	for _, c := range head {
		switch {
		case c == '"':
			quoted, blank = !quoted, false
		case quoted || c == '\r':
		case c == '\n':
			if !blank {
				rows = append(rows, row)
			}
			row, blank = [len(delimiters)]int{}, true
			if len(rows) == sniffLines {
				return rows
			}
		default:
			blank = false
			if k := bytes.IndexByte([]byte(delimiters), c); k >= 0 {
				row[k]++
			}
		}
	}
	if len(rows) == 0 {
		rows = append(rows, row)
	}
	return rows
}

func layoutNulls(o *codec.ReadOptions) []string {
	if o.Layout == nil {
		return nil
	}
	return o.Layout.Nulls
}
