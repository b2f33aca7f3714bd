package drivertest

import (
	"strings"

	"dataknobs.dev/dataknobs"
)

// wordsField is the field that Together's full-text searches look at, where
// the store has any.
const wordsField = "words"

var genWords = []string{"red", "green", "blue", "deep", "sea"}

// words returns n words, some of them twice.
func (g *gen) words(n int) string {
	ws := make([]string, n)
	for i := range ws {
		ws[i] = pick(g, genWords)
	}
	return strings.Join(ws, " ")
}

// search returns a full-text search.
func (g *gen) search() *dataknobs.Cond {
	return cond(wordsField, pick(g, []dataknobs.Op{dataknobs.Match, dataknobs.Match, dataknobs.NotMatch}), g.words(1+g.IntN(2)))
}
