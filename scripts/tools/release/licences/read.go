package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// permissive are the licences that ask for no more than to be named and
// passed on.
var permissive = map[string]bool{
	"0BSD": true, "Apache-2.0": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "BlueOak-1.0.0": true,
	"CC0-1.0": true, "ISC": true, "MIT": true, "MIT-0": true, "Unlicense": true, "Zlib": true,
}

// An exception is a licence file that a person has read.
type exception struct {
	licence string // as SPDX says it; "" where the file holds none
	reason  string // why it may be used all the same, or why no program can tell
}

// exceptions are by module and file, of any version.
var exceptions = map[string]exception{
	"modernc.org/libc/LICENSE-3RD-PARTY.md": {
		licence: "BSD-3-Clause AND MIT",
		reason:  "lists Go (BSD-3-Clause), musl, go-netdb and Nixpkgs (MIT) with their texts and much besides",
	},
	"modernc.org/memory/LICENSE-LOGO": {
		reason: "names the source of a picture, which no program holds",
	},
	"modernc.org/sqlite/LICENSE-3RD-PARTY.md": {
		licence: "BSD-3-Clause AND MIT AND blessing",
		reason: "what it says is linked into programs is BSD-3-Clause, MIT or, SQLite itself, in the public domain; " +
			"its MPL-2.0 is of a module that, it says, nothing is built with",
	},
	"modernc.org/sqlite/LICENSE-SQLITE": {
		licence: "blessing",
		reason:  "SQLite's own words: it is in the public domain",
	},
	"pgregory.net/rapid/LICENSE": {
		licence: "MPL-2.0",
		reason:  "used by tests alone, unchanged: MPL-2.0 asks something only of those who pass its files on",
	},
}

var (
	licenceName = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|mit-license)s?([-._].*)?$`)
	noticeName  = regexp.MustCompile(`(?i)^(notice|patents)([-._].*)?$`)
	sourceName  = regexp.MustCompile(`(?i)\.(go|s|c|h|py|sh)$`)
)

// read finds the licence of a module: every licence file at its root, and those
// in or above the packages in use, which may be somebody else's.
func (m *module) read() error {
	found := map[string]bool{}
	for _, dir := range m.dirs() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			isLicence := licenceName.MatchString(e.Name())
			if e.IsDir() || sourceName.MatchString(e.Name()) || !isLicence && !noticeName.MatchString(e.Name()) {
				continue
			}
			body, err := m.take(filepath.Join(dir, e.Name()))
			if err != nil {
				return err
			}
			if !isLicence {
				continue
			}
			if err := m.classify(filepath.Join(dir, e.Name()), body, found); err != nil {
				return err
			}
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%s %s has no licence", m.path, m.version)
	}
	m.licence = strings.Join(slices.Sorted(maps.Keys(found)), " AND ")
	return nil
}

// dirs returns the root of the module and all folders between it and the
// packages in use.
func (m *module) dirs() []string {
	dirs := map[string]bool{m.dir: true}
	for dir := range m.folders {
		for len(dir) > len(m.dir) {
			dirs[dir] = true
			dir = filepath.Dir(dir)
		}
	}
	return slices.Sorted(maps.Keys(dirs))
}

// take keeps a text for the document.
func (m *module) take(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(m.dir, path)
	if err != nil {
		return "", err
	}
	body := strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
	m.texts = append(m.texts, text{name: filepath.ToSlash(name), body: body})
	return body, nil
}

// classify adds the licences that a file holds. Less than three quarters of it
// known is not known at all.
func (m *module) classify(path, body string, found map[string]bool) error {
	if x, ok := exceptions[m.path+"/"+filepath.Base(path)]; ok {
		for _, id := range strings.Split(x.licence, " AND ") {
			found[id] = true
		}
		delete(found, "")
		return nil
	}
	cover := licensecheck.Scan([]byte(body))
	if cover.Percent < 75 {
		return fmt.Errorf("%s: %s holds no known licence (%.0f %% of it is known: %s)", m.name(), filepath.Base(path), cover.Percent, ids(cover))
	}
	for _, match := range cover.Match {
		if !permissive[match.ID] {
			return fmt.Errorf("%s: %s is under %s, which is not on the list of permissive licences", m.name(), filepath.Base(path), match.ID)
		}
		found[match.ID] = true
	}
	return nil
}

func ids(cover licensecheck.Coverage) string {
	var all []string
	for _, match := range cover.Match {
		all = append(all, match.ID)
	}
	if all == nil {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

// checkExceptions is an error where an exception is for nothing, or ships what
// is not permissive.
func checkExceptions(modules []*module) error {
	for _, name := range slices.Sorted(maps.Keys(exceptions)) {
		i := slices.IndexFunc(modules, func(m *module) bool { return m.has(name) })
		if i < 0 {
			return fmt.Errorf("the exception for %s is for a file that nothing has", name)
		}
		if strings.Contains(exceptions[name].licence, "MPL") && modules[i].shipped {
			return fmt.Errorf("%s is under %s and would be shipped", modules[i].path, exceptions[name].licence)
		}
	}
	return nil
}

func (m *module) has(name string) bool {
	return slices.ContainsFunc(m.texts, func(t text) bool { return m.path+"/"+t.name == name })
}

// document is what THIRD_PARTY_LICENSES holds.
func document(modules []*module) []byte {
	var b bytes.Buffer
	b.WriteString("dk is made of the following, besides its own code, which is under the licence in LICENSE.\n" +
		"This file is written by scripts/check-licences --write.\n\n")
	for _, m := range modules {
		if m.shipped {
			fmt.Fprintf(&b, "  %s: %s\n", m.name(), m.licence)
		}
	}
	for _, t := range merged(modules) {
		rule := strings.Repeat("=", 80)
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n\n%s\n", rule, t.name, rule, t.body)
	}
	return b.Bytes()
}

// merged returns the texts of what is shipped, each once, under the names of
// all that it is the text of.
func merged(modules []*module) []text {
	var all []text
	at := map[string]int{}
	for _, m := range modules {
		for _, t := range m.texts {
			i, known := at[t.body]
			switch name := m.name() + ": " + t.name; {
			case !m.shipped:
			case known:
				all[i].name += "\n" + name
			default:
				at[t.body] = len(all)
				all = append(all, text{name, t.body})
			}
		}
	}
	return all
}

func (m *module) name() string {
	if m.version == "" {
		return m.path
	}
	return m.path + " " + m.version
}
