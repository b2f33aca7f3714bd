package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/internal/generated"
)

// The generated parts of a page stand between these lines, and what the test
// writes between them is all there is.
const (
	generatedFrom = "<!-- generated: %s (" + byReference + ") -->\n"
	generatedTo   = "<!-- end of generated: %s -->\n"
)

// TestReferenceOfDrivers: the generated parts of docs/drivers/NAME.md are what
// the backends say of themselves.
func TestReferenceOfDrivers(t *testing.T) {
	for _, b := range dataknobs.Backends() {
		path := "docs/drivers/" + b.Name + ".md"
		page, err := generated.Read(path)
		if err != nil {
			t.Errorf("each backend has a page: %v", err)
			continue
		}
		for part, text := range map[string]string{
			"needs": needsTable(b), "settings": settingsTable(b), "abilities": abilitiesTable(b), "limits": limitsTable(b),
		} {
			from, to := fmt.Sprintf(generatedFrom, part), fmt.Sprintf(generatedTo, part)
			var ok bool
			if page, ok = generated.Put(page, from, to, text); !ok {
				t.Errorf("%s.md has no place for its %s, which is %s%s", b.Name, part, from, to)
			}
		}
		generated.Check(t, path, page, byReference)
	}
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
