package main

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"dataknobs.dev/dataknobs"
)

var (
	schemeForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+$`)
	optionsForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*=[^&]*(&[A-Za-z][A-Za-z0-9_-]*=[^&]*)*$`)
)

// filePath returns the path that the name of a store stands for; false if the
// store is no file. It reads names as dataknobs.Open does.
func filePath(store string) (string, bool) {
	if store == "-" {
		return "", false
	}
	scheme, rest, ok := strings.Cut(store, ":")
	if ok && schemeForm.MatchString(scheme) {
		b, err := dataknobs.LookupBackend(scheme)
		if err != nil || !b.Paths {
			return "", false
		}
		path, _, _ := strings.Cut(rest, "?")
		path, err = url.PathUnescape(strings.TrimPrefix(path, "//"))
		return path, err == nil && path != "-"
	}
	if i := strings.LastIndexByte(store, '?'); i > 0 && optionsForm.MatchString(store[i+1:]) {
		if _, err := os.Lstat(store); err != nil {
			store = store[:i]
		}
	}
	return store, store != "-"
}

// isNewFile reports whether the store is a file that is not there yet, or is
// empty; standard output is one.
func isNewFile(store string) bool {
	path, ok := filePath(store)
	if !ok {
		return toStdout(store)
	}
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return !strings.ContainsAny(filepath.Base(path), "*?[")
	}
	return err == nil && info.Mode().IsRegular() && info.Size() == 0
}

// toStdout reports whether what is written to the store goes to standard output.
func toStdout(store string) bool { return store == "-" || strings.HasPrefix(store, "file:-") }

// identity names a store for a checkpoint: the same name from any folder.
func identity(store string) string {
	path, ok := filePath(store)
	if !ok {
		return store
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	_, options, _ := strings.Cut(store, "?")
	return path + "?" + options
}
