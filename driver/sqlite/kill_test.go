package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/sqlite"
	"dataknobs.dev/dataknobs/drivertest"
)

// kill's writers have connections that keep little in memory.
var kill = drivertest.Kill{
	Write: func(ctx context.Context, path string) (dataknobs.Driver, error) {
		return sqlite.New(ctx, sqlite.Options{Path: path, Cache: 16 << 10})
	},
	Read: func(ctx context.Context, path string) (dataknobs.Driver, error) {
		return sqlite.New(ctx, sqlite.Options{Path: path})
	},
}

func TestMain(m *testing.M) {
	if kill.Main() {
		return
	}
	if path := os.Getenv(countEnv); path != "" {
		countUp(path)
		return
	}
	os.Exit(m.Run())
}

// A process that is killed at any moment loses nothing that it acknowledged,
// and leaves no half of anything.
func TestKill(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 30
	}
	kill.Run(t, filepath.Join(t.TempDir(), "k.db"), rounds)
}
