package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

// abilitiesOf lists what a new store of the backend can do; nil: unknown.
func abilitiesOf(b *dataknobs.Backend) []dataknobs.AbilityInfo {
	if b.Features == nil {
		return nil
	}
	return dataknobs.Abilities(b.Features())
}

// An abilityGroup is what a store does alike: operators that fare the same
// with every kind of value.
type abilityGroup struct {
	part    string
	whats   []string
	answers []abilityAnswer
}

// An abilityAnswer is how those fare, and with what.
type abilityAnswer struct {
	dataknobs.Support
	ofs []string
}

// groupAbilities puts together what fares alike.
func groupAbilities(all []dataknobs.AbilityInfo) []abilityGroup {
	var each []abilityGroup
	for _, x := range all {
		if n := len(each); n == 0 || each[n-1].part != x.Part || each[n-1].whats[0] != x.What {
			each = append(each, abilityGroup{part: x.Part, whats: []string{x.What}})
		}
		each[len(each)-1].add(x)
	}
	var groups []abilityGroup
	for _, g := range each {
		i := slices.IndexFunc(groups, func(h abilityGroup) bool { return h.part == g.part && sameAnswers(h.answers, g.answers) })
		if i < 0 {
			groups = append(groups, g)
			continue
		}
		groups[i].whats = append(groups[i].whats, g.whats...)
	}
	return groups
}

func (g *abilityGroup) add(x dataknobs.AbilityInfo) {
	i := slices.IndexFunc(g.answers, func(a abilityAnswer) bool { return a.Support == x.Support })
	if i < 0 {
		i = len(g.answers)
		g.answers = append(g.answers, abilityAnswer{Support: x.Support})
	}
	if x.Of != "" {
		g.answers[i].ofs = append(g.answers[i].ofs, x.Of)
	}
}

func sameAnswers(a, b []abilityAnswer) bool {
	return slices.EqualFunc(a, b, func(a, b abilityAnswer) bool { return a.Support == b.Support && slices.Equal(a.ofs, b.ofs) })
}

// who says who does what is done with that fidelity.
func who(part string, whats []string, f dataknobs.Fidelity) string {
	switch {
	case f == dataknobs.Exact:
		return "in the store"
	case f == dataknobs.Rough:
		return "narrowed in the store, finished here"
	case part == dataknobs.PartWriting || slices.Contains(whats, dataknobs.Match.String()):
		return "refused"
	}
	return "done here"
}

func writeAbilities(w *bufio.Writer, b *dataknobs.Backend) {
	part := ""
	for _, g := range groupAbilities(abilitiesOf(b)) {
		if part == "" {
			fmt.Fprintf(w, "\nWhat a new store does by itself; the rest is done here, with the same answer\n")
		}
		if g.part != part {
			part = g.part
			fmt.Fprintf(w, "  %s\n", part)
		}
		fmt.Fprintf(w, "    %s\n", strings.Join(g.whats, ", "))
		for _, a := range g.answers {
			fmt.Fprintf(w, "      %s", who(g.part, g.whats, a.Fidelity))
			if len(a.ofs) > 0 {
				fmt.Fprintf(w, ": %s", strings.Join(a.ofs, ", "))
			}
			if a.Reason != "" {
				fmt.Fprintf(w, " (%s)", a.Reason)
			}
			fmt.Fprintln(w)
		}
	}
}
