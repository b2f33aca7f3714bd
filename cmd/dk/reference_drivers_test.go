package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
)

// The generated parts of a page stand between these lines, and what the test
// writes between them is all there is.
const (
	generatedFrom = "<!-- generated: %s (go test ./cmd/dk -run Reference -update) -->\n"
	generatedTo   = "<!-- end of generated: %s -->\n"
)

// TestReferenceOfDrivers: the generated parts of docs/drivers/NAME.md are what
// the backends say of themselves.
func TestReferenceOfDrivers(t *testing.T) {
	for _, b := range dataknobs.Backends() {
		path, err := filepath.Abs("../../docs/drivers/" + b.Name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("each backend has a page: %v", err)
			continue
		}
		want := string(text)
		for part, generated := range map[string]string{
			"needs": needsTable(b), "settings": settingsTable(b), "abilities": abilitiesTable(b), "limits": limitsTable(b),
		} {
			var ok bool
			if want, ok = replaceGenerated(want, part, generated); !ok {
				t.Errorf("%s.md has no place for its %s, which is %s%s", b.Name, part, fmt.Sprintf(generatedFrom, part), fmt.Sprintf(generatedTo, part))
			}
		}
		if want == string(text) {
			continue
		}
		if !*update {
			t.Errorf("docs/drivers/%s.md is not what the backend says: go test ./cmd/dk -run Reference -update", b.Name)
		} else if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// replaceGenerated puts a generated part in its place.
func replaceGenerated(page, part, text string) (string, bool) {
	from, to := fmt.Sprintf(generatedFrom, part), fmt.Sprintf(generatedTo, part)
	start, end := strings.Index(page, from), strings.Index(page, to)
	if start < 0 || end < start {
		return page, false
	}
	return page[:start+len(from)] + text + page[end:], true
}

// cell makes a text fit into a cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`).Replace(s)
}

func code(s string) string { return "`" + strings.ReplaceAll(s, "|", `\|`) + "`" }

func list(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "- %s\n", cell(l))
	}
	return b.String()
}

func needsTable(b *dataknobs.Backend) string { return list(b.Needs) }

func limitsTable(b *dataknobs.Backend) string {
	var s strings.Builder
	s.WriteString("| what | at most |\n| --- | --- |\n")
	for _, l := range b.Bounds() {
		fmt.Fprintf(&s, "| %s | %s |\n", cell(l.Name), cell(l.Text))
	}
	return s.String()
}

func settingsTable(b *dataknobs.Backend) string {
	var s strings.Builder
	s.WriteString("| setting | kind | default | what |\n| --- | --- | --- | --- |\n")
	for _, o := range b.Options {
		kind := o.Kind.String()
		if o.Secret {
			kind = "secret"
		}
		if len(o.Enum) > 0 {
			var words []string
			for _, w := range o.Enum {
				words = append(words, code(w))
			}
			kind = strings.Join(words, ", ")
		}
		def := o.Default
		if def != "" {
			def = code(def)
		}
		// The default has a column of its own.
		notes := slices.DeleteFunc(optionNotes(o), func(n string) bool { return strings.HasPrefix(n, "default ") })
		what := o.Doc
		if len(notes) > 0 {
			what += " (" + strings.Join(notes, "; ") + ")"
		}
		fmt.Fprintf(&s, "| `%s` | %s | %s | %s |\n", o.Name, kind, def, cell(what))
	}
	return s.String()
}

// abilitiesTable has a row for what fares alike.
func abilitiesTable(b *dataknobs.Backend) string {
	var s strings.Builder
	s.WriteString("| part | what | in the store | narrowed in the store, finished here | done here |\n| --- | --- | --- | --- | --- |\n")
	for _, g := range groupAbilities(abilitiesOf(b)) {
		var cells [3][]string
		for _, a := range g.answers {
			i := 2 - int(a.Fidelity)
			cells[i] = append(cells[i], abilityText(g, a))
		}
		fmt.Fprintf(&s, "| %s | %s | %s | %s | %s |\n", g.part, cell(strings.Join(g.whats, ", ")),
			cell(strings.Join(cells[0], "; ")), cell(strings.Join(cells[1], "; ")), cell(strings.Join(cells[2], "; ")))
	}
	return s.String()
}

func abilityText(g abilityGroup, a abilityAnswer) string {
	text := strings.Join(a.ofs, ", ")
	if text == "" {
		text = "yes"
	}
	if who(g.part, g.whats, a.Fidelity) == "refused" {
		text = strings.TrimSuffix("refused: "+strings.TrimSuffix(text, "yes"), ": ")
	}
	if a.Reason != "" {
		text += " (" + a.Reason + ")"
	}
	return text
}
