package main

import (
	"bufio"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Example: `  dk version`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("version takes no argument")
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *app) printVersion() error {
	return a.buffered(func(w *bufio.Writer) error {
		_, err := fmt.Fprintf(w, "dk %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	})
}

// released is the version of a release, which its linker sets (scripts/build).
var released string

// version is the module's version and the commit that it was built from, as
// far as the build knows them.
func version() string {
	if released != "" {
		return released
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	if rev := set["vcs.revision"]; rev != "" {
		v += " " + rev[:min(len(rev), 12)]
		if set["vcs.modified"] == "true" {
			v += "+changes"
		}
		if t := set["vcs.time"]; t != "" {
			v += " of " + t
		}
	}
	return v
}
