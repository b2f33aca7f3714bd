package file

import (
	"net/url"
	"strconv"
	"strings"

	"dataknobs.dev/dataknobs"
)

// hiveNull is how Hive writes a null in the name of a folder.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// hiveFields reads the fields off the folders of a path: year=2026/month=3/x.csv.
func hiveFields(rel string) []pair {
	var fields []pair
	parts := strings.Split(rel, "/")
	for _, p := range parts[:len(parts)-1] {
		name, text, ok := strings.Cut(p, "=")
		if !ok || dataknobs.CheckName(name) != nil {
			continue
		}
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
		fields = append(fields, pair{name, text})
	}
	return fields
}

// hiveKinds decides the kind of each hive field over all files: int where
// every one of its texts is the usual spelling of an int, else string.
func hiveKinds(ms []member) map[string]dataknobs.Kind {
	kinds := map[string]dataknobs.Kind{}
	for _, m := range ms {
		for _, h := range m.hive {
			if h.text == hiveNull {
				continue
			}
			i, err := strconv.ParseInt(h.text, 10, 64)
			if err != nil || strconv.FormatInt(i, 10) != h.text {
				kinds[h.name] = dataknobs.KindString
			} else if kinds[h.name] == 0 {
				kinds[h.name] = dataknobs.KindInt
			}
		}
	}
	return kinds
}

// hiveValue is the value of a hive field. types declares kinds.
func hiveValue(text string, k dataknobs.Kind) dataknobs.Value {
	if text == hiveNull {
		return dataknobs.Null()
	}
	if k == dataknobs.KindInt {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return dataknobs.Int(i)
		}
	}
	return dataknobs.String(text)
}
