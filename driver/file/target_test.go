package file_test

import (
	"strings"
	"testing"

	"dataknobs.dev/dataknobs/driver/file"
)

// The beginning of a pattern, as it is after the separators of the system have
// become slashes, is the folder to look in.
func TestGlobRoot(t *testing.T) {
	tests := []struct{ literal, want string }{
		{"logs/2026", "logs/2026"},
		{"/data", "/data"},
		{"", "/"},
		{"C:", "C:/"}, // not where the process is on that drive
		{"C:/logs", "C:/logs"},
		{"//server/share", "//server/share"},
	}
	for _, tt := range tests {
		if got := file.GlobRoot(strings.Split(tt.literal, "/")); got != tt.want {
			t.Errorf("a pattern in %q is looked for in %q, want %q", tt.literal, got, tt.want)
		}
	}
	if got := file.GlobRoot(nil); got != "." {
		t.Errorf("a pattern by itself is looked for in %q", got)
	}
}
