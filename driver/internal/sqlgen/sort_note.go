package sqlgen

import (
	"strings"

	"dataknobs.dev/dataknobs"
)

// SortNote says, for people, why a scan in the order of the IDs sorts although
// there is an index on the key; "" where it does not, or there is no key.
func (t *Table) SortNote(scan *dataknobs.Scan) string {
	if scan == nil || len(scan.OrderBy) == 0 || !scan.OrderBy[0].Path.Equal(dataknobs.PathID) || len(t.Key) == 0 {
		return ""
	}
	if len(t.Key) == 1 && t.Columns[t.Key[0]].Type == Text {
		return ""
	}
	var names []string
	for _, k := range t.Key {
		names = append(names, dataknobs.Names(t.Columns[k].Name).String())
	}
	return "IDs are in the order of their text, in which 10 comes before 2, so the key's index cannot serve; ORDER BY " +
		strings.Join(names, ", ") + " uses it"
}
