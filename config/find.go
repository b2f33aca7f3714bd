package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dataknobs.dev/dataknobs"
)

// fileNames are the names under which a configuration is looked for.
var fileNames = []string{"dk.yaml", "dk.yml", "dk.json", "dk.toml"}

// maxParents bounds the search upwards.
const maxParents = 64

// Find returns the configuration file that applies in a folder: dk.yaml,
// dk.yml, dk.json or dk.toml in it or the nearest of its parents, up to the
// user's home or the root; then the same names in the folder dataknobs of the
// user's configuration folder (os.UserConfigDir). "" if there is none. Two of the
// names in one folder are an error, and so is a file that belongs to another user:
// it could send what is written anywhere. Such a file can still be named.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", dataknobs.Errorf(dataknobs.Unavailable, "cannot look for a configuration: %w", err)
	}
	home, _ := os.UserHomeDir()
	for range maxParents {
		if path, err := findIn(dir); path != "" || err != nil {
			return path, err
		}
		parent := filepath.Dir(dir)
		if dir == home || parent == dir {
			break
		}
		dir = parent
	}
	if user, err := os.UserConfigDir(); err == nil {
		return findIn(filepath.Join(user, "dataknobs"))
	}
	return "", nil
}

func findIn(dir string) (string, error) {
	var found []string
	for _, name := range fileNames {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			continue
		}
		if err := trusted(path, info); err != nil {
			return "", err
		}
		found = append(found, path)
	}
	if len(found) > 1 {
		return "", dataknobs.Errorf(dataknobs.InvalidArgument, "there are several configurations: %s", strings.Join(found, ", ")).
			WithHint("keep one, or name those that are meant")
	}
	return strings.Join(found, ""), nil
}

func trusted(path string, info fs.FileInfo) error {
	if ownFile(info) {
		return nil
	}
	return dataknobs.Errorf(dataknobs.PermissionDenied, "the configuration %s belongs to another user", path).
		WithHint("name it, if it is to be trusted: --config %s", path)
}
