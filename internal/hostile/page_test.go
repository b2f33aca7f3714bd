package hostile_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/internal/hostile"
)

const pageFile = "../../docs/reliability.md"

// TestReliabilityPage: the numbers in docs/reliability.md are those of the lists
// that the tests go through.
func TestReliabilityPage(t *testing.T) {
	data, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- by go test ./internal/hostile -run Page -update -->\n", "<!-- end -->"
	before, rest, ok := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the numbers", pageFile)
	}
	want := before + begin + "\n" + numbers() + "\n" + end + after
	if *update {
		if err := os.WriteFile(pageFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(data) != want {
		t.Errorf("the numbers in docs/reliability.md are old: go test ./internal/hostile -run Page -update")
	}
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
