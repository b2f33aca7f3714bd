package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// stdPath stands for Go's own library, which is no module.
const stdPath = "the Go standard library"

// modulesOf returns the modules of all packages in use, sorted by path.
func modulesOf(root string) ([]*module, error) {
	goroot, err := output(root, "", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	std := &module{path: stdPath, dir: strings.TrimSpace(goroot), shipped: true, folders: map[string]bool{}}
	all := map[string]*module{stdPath: std}
	for _, system := range systems {
		for _, from := range [][]string{{"./cmd/dk"}, {"-test", "./..."}} {
			if err := list(all, root, system, from); err != nil {
				return nil, err
			}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *module) int { return cmp.Compare(a.path, b.path) }), nil
}

// list adds the modules of the packages that a system needs.
func list(all map[string]*module, root, system string, from []string) error {
	const format = "{{if not .Standard}}{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}\t{{.Dir}}{{end}}"
	out, err := output(root, system, append([]string{"list", "-deps", "-f", format}, from...)...)
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(words) != 4 { // the product's own
			continue
		}
		m := all[words[0]]
		if m == nil {
			m = &module{path: words[0], version: words[1], dir: words[2], folders: map[string]bool{}}
			all[m.path] = m
		}
		m.folders[words[3]] = true
		m.shipped = m.shipped || from[0] == "./cmd/dk"
	}
	return nil
}

// output runs the go command as a release for that system does; "": this one.
func output(dir, system string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if system != "" {
		cmd.Env = append(cmd.Env, "GOOS="+system)
	}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}
