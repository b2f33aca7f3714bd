package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/internal/generated"
)

// byReference writes the pages of the reference anew.
const byReference = "go test ./cmd/dk -run Reference -update"

// TestReference: docs/dk.md is what the help says.
func TestReference(t *testing.T) {
	generated.Check(t, "docs/dk.md", reference(t), byReference)
}

func reference(t *testing.T) string {
	s := newShell(t)
	var b strings.Builder
	fmt.Fprintf(&b, "# The command line\n\nWhat `dk help` says, on one page (written by a test; change the help).\n\n```text\n%s```\n", s.ok())
	for _, cmd := range newApp(nil, &bytes.Buffer{}, &bytes.Buffer{}, os.Getenv).rootCommand().Commands() {
		if cmd.Hidden {
			continue
		}
		// The options of the stores are those that dk backends NAME lists.
		text, _, _ := strings.Cut(s.ok(cmd.Name(), "--help"), "\nOptions of the store")
		fmt.Fprintf(&b, "\n## dk %s\n\n```text\n%s\n```\n", cmd.Name(), strings.TrimRight(text, "\n"))
	}
	for _, topic := range []string{"values", "exit-codes"} {
		fmt.Fprintf(&b, "\n## dk help %s\n\n```text\n%s```\n", topic, s.ok("help", topic))
	}
	return b.String()
}
