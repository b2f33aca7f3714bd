package docs_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fencePattern   = regexp.MustCompile("(?s)```.*?```")
	headingPattern = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor       = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

// A link of a page to another page, a folder or a heading leads somewhere.
func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		for _, m := range linkPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(readPage(t, page), ""), -1) {
			link, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			to := page
			if link != "" {
				to = path.Join(path.Dir(page), link)
			}
			if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(to))); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page, m[1])
			} else if anchor != "" && strings.HasSuffix(to, ".md") && !hasAnchor(readPage(t, to), anchor) {
				t.Errorf("%s: the link %s leads to no heading", page, m[1])
			}
		}
	}
}

// hasAnchor reports whether a heading has that name, as GitHub makes it.
func hasAnchor(text, anchor string) bool {
	for _, m := range headingPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(text, ""), -1) {
		name := noAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		if strings.ReplaceAll(name, " ", "-") == anchor {
			return true
		}
	}
	return false
}
