package hostile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/internal/generated"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// TestReliabilityPage: the numbers in docs/reliability.md are those of the lists
// that the tests go through.
func TestReliabilityPage(t *testing.T) {
	const path, by = "docs/reliability.md", "go test ./internal/hostile -run Page -update"
	page, err := generated.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	page, ok := generated.Put(page, "<!-- by "+by+" -->\n", "<!-- end -->", "\n"+numbers()+"\n")
	if !ok {
		t.Fatalf("%s has no place for the numbers", path)
	}
	generated.Check(t, path, page, by)
}

// numbers are a line for each class.
func numbers() string {
	var b strings.Builder
	b.WriteString("| what | tried | refused, with the code | answered rightly |\n| --- | ---: | --- | ---: |\n")
	total := 0
	for _, class := range hostile.Classes() {
		var wants []string
		for _, c := range class.Cases {
			wants = append(wants, c.Want)
		}
		total += line(&b, class.Name, wants)
	}
	var es, s3, pg []string
	for _, l := range hostile.Elasticsearch {
		es = append(es, l.Want)
	}
	for _, l := range hostile.S3 {
		s3 = append(s3, l.Want)
	}
	for _, m := range hostile.Postgres {
		pg = append(pg, m.Want)
	}
	total += line(&b, "lies of an Elasticsearch server", es) + line(&b, "lies of an S3 server", s3) + line(&b, "lies of a PostgreSQL server", pg)
	fmt.Fprintf(&b, "| together | %d | | |\n", total)
	return b.String()
}

func line(b *strings.Builder, name string, wants []string) int {
	counts := map[string]int{}
	for _, w := range wants {
		counts[w]++
	}
	right := counts[""]
	delete(counts, "")
	var codes []string
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		codes = append(codes, fmt.Sprintf("%s: %d", code, counts[code]))
	}
	fmt.Fprintf(b, "| %s | %d | %s | %d |\n", name, len(wants), strings.Join(codes, ", "), right)
	return len(wants)
}
