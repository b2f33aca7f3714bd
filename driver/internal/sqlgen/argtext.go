package sqlgen

import (
	"fmt"
	"strings"

	"dataknobs.dev/dataknobs"
)

// longestArg is how many bytes of a parameter ArgText shows.
const longestArg = 200

// ArgText shows a parameter of a statement to people, cut where it is long.
func ArgText(arg any) string {
	var text string
	switch a := arg.(type) {
	case nil:
		return "null"
	case string:
		text = dataknobs.String(a).String()
	case []byte:
		return fmt.Sprintf("%d bytes", len(a))
	default:
		text = fmt.Sprint(a)
	}
	if len(text) > longestArg {
		text = strings.ToValidUTF8(text[:longestArg], "") + "…"
	}
	return text
}
