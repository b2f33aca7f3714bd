// Command licences reads the licences of every module that the product is made
// of, and fails where one is not permissive or not known.
//
//	go -C scripts/tools/release run ./licences [-write] FOLDER
//
// FOLDER is the product's module. The texts of what is linked into dk go into
// THIRD_PARTY_LICENSES there, with -write; without it, the file must hold just
// that. scripts/check-licences calls it.
//
// What only tests, benchmarks and the rest of the library use is checked too;
// no release holds it, so its texts are not in the file.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// systems are those that releases are built for: each has packages of its own.
var systems = []string{"linux", "darwin", "windows"}

// fileName is where the texts are.
const fileName = "THIRD_PARTY_LICENSES"

func main() {
	write := flag.Bool("write", false, "write "+fileName)
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "licences: name the folder of the module")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *write); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(root string, write bool) error {
	modules, err := modulesOf(root)
	if err != nil {
		return err
	}
	var faults []error
	tally := map[string]int{}
	for _, m := range modules {
		if err := m.read(); err != nil {
			faults = append(faults, err)
			continue
		}
		tally[m.licence]++
	}
	if len(faults) == 0 {
		faults = append(faults, checkExceptions(modules))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	path := filepath.Join(root, fileName)
	text := document(modules)
	if write {
		return os.WriteFile(path, text, 0o644)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, text) {
		return fmt.Errorf("%s is out of date: scripts/check-licences --write", fileName)
	}
	for _, l := range slices.Sorted(maps.Keys(tally)) {
		fmt.Printf("%4d %s\n", tally[l], l)
	}
	for _, name := range slices.Sorted(maps.Keys(exceptions)) {
		fmt.Printf("     %s: %s\n", name, exceptions[name].reason)
	}
	fmt.Printf("%d modules, %s is up to date\n", len(modules), fileName)
	return nil
}

// A module is one that the product uses.
type module struct {
	path, version, dir string
	folders            map[string]bool // of the packages in use
	shipped            bool            // linked into dk

	licence string // as SPDX says it
	texts   []text // its licences and notices
}

type text struct{ name, body string }
