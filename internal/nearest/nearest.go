// Package nearest finds the word that somebody probably meant.
package nearest

import (
	"strings"
	"unicode/utf8"
)

// maxRunes bounds the words that are compared: a longer one is no slip of the
// fingers, and the comparison costs the product of the lengths.
const maxRunes = 64

// Of returns the word of among that is nearest to word, case aside, or "" if
// none is near enough: one slip (a letter too many, too few, wrong, or two
// swapped) in a word of up to five letters, two up to eleven, three in longer
// ones. Words of two letters or fewer must agree but for case. Among equally
// near words the first wins.
func Of(word string, among []string) string {
	best, bound := "", slips(word)
	if bound < 0 {
		return ""
	}
	a := []rune(strings.ToLower(word))
	for _, w := range among {
		d := distance(a, []rune(strings.ToLower(w)), bound)
		if d <= bound {
			best, bound = w, d-1
		}
	}
	return best
}

// slips is how many slips may separate word from what was meant; -1: none fits.
func slips(word string) int {
	switch n := utf8.RuneCountInString(word); {
	case n == 0 || n > maxRunes:
		return -1
	case n <= 2:
		return 0
	case n <= 5:
		return 1
	case n <= 11:
		return 2
	}
	return 3
}

// distance is the Damerau-Levenshtein distance (optimal string alignment) of
// a and b; any number above bound where it is above bound.
func distance(a, b []rune, bound int) int {
	if diff := len(a) - len(b); diff > bound || -diff > bound {
		return bound + 1
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		prev[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			d := min(prev[j]+cost, prev[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
