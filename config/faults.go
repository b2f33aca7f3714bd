package config

import (
	"fmt"
	"slices"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A Fault is one thing that is wrong with a configuration.
type Fault struct {
	Place   Place
	Setting string // such as databases.main.port; "" where it is about the file
	Err     error  // what is wrong; it holds no secret

	// late: it does not show before somebody uses the setting, because it comes of
	// the environment or of how the program was built.
	late bool
}

// Error returns place, setting and message on one line.
func (f *Fault) Error() string {
	var b strings.Builder
	if at := f.Place.String(); at != "" {
		b.WriteString(at + ": ")
	}
	if f.Setting != "" {
		b.WriteString(f.Setting + ": ")
	}
	b.WriteString(f.Err.Error())
	return b.String()
}

// Unwrap returns what is wrong.
func (f *Fault) Unwrap() error { return f.Err }

// Faults are all the faults of a configuration, in the order of its files.
// errors.As finds them in the error of [Load] and [Config.Check].
type Faults []*Fault

// Error returns one line for each fault.
func (fs Faults) Error() string {
	if len(fs) == 1 {
		return fs[0].Error()
	}
	const most = 100
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d faults", len(fs))
	for i, f := range fs {
		if i == most {
			fmt.Fprintf(&b, "\n  and %d more", len(fs)-most)
			break
		}
		b.WriteString("\n  " + f.Error())
	}
	return b.String()
}

// Unwrap returns the faults as errors.
func (fs Faults) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}

// err is the error of these faults; nil if there are none.
func (fs Faults) err() error {
	if len(fs) == 0 {
		return nil
	}
	code := dataknobs.InvalidArgument
	if len(fs) == 1 {
		code = dataknobs.CodeOf(fs[0].Err)
	}
	return dataknobs.Errorf(code, "%w", fs)
}

// add adds a fault once.
func (fs *Faults) add(f *Fault) {
	if f != nil && !slices.Contains(*fs, f) {
		*fs = append(*fs, f)
	}
}

func (fs *Faults) addf(place Place, setting, format string, args ...any) {
	fs.add(fault(place, setting, format, args...))
}

func fault(place Place, setting, format string, args ...any) *Fault {
	return &Fault{Place: place, Setting: setting, Err: dataknobs.Errorf(dataknobs.InvalidArgument, format, args...)}
}

// hinted gives a fault a hint, unless it is empty.
func (f *Fault) hinted(hint string) *Fault {
	if e, ok := f.Err.(*dataknobs.Error); ok && hint != "" {
		f.Err = e.WithHint("%s", hint)
	}
	return f
}

func (f *Fault) lately() *Fault {
	f.late = true
	return f
}
