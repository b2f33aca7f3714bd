package dataknobs_test

import (
	"os"
	"regexp"
	"testing"
)

func TestPackageCommentNamesFilesThatExist(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b[a-z_]+\.go\b`).FindAllString(string(doc), -1)
	if len(named) < 20 {
		t.Errorf("the map of the code names %d files only: %q", len(named), named)
	}
	for _, name := range named {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("the package comment names a file that is not there: %v", err)
		}
	}
}
