//go:build unix

package file_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/file"
	"dataknobs.dev/dataknobs/drivertest"
)

// kill's writers fold the journal every few records.
var kill = drivertest.Kill{
	Write: func(ctx context.Context, path string) (dataknobs.Driver, error) {
		return file.New(ctx, file.Options{Path: path, Fold: 2 << 10})
	},
	Read: func(ctx context.Context, path string) (dataknobs.Driver, error) {
		return file.New(ctx, file.Options{Path: path, Create: file.CreateAlways})
	},
}

func TestMain(m *testing.M) {
	if kill.Main() {
		return
	}
	os.Exit(m.Run())
}

// A process that is killed at any moment loses nothing that it acknowledged,
// and leaves no half of anything.
func TestKill(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 100
	}
	for _, name := range []string{"k.csv", "k.ndjson.gz"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kill.Run(t, filepath.Join(t.TempDir(), name), rounds/2)
		})
	}
}
