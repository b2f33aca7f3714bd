package file

import (
	"io"
	"testing"
)

// SetStreams makes in and out standard input and output for one test.
func SetStreams(t testing.TB, in io.Reader, out io.Writer) {
	oldIn, oldOut := stdin, stdout
	stdin, stdout = in, out
	t.Cleanup(func() { stdin, stdout = oldIn, oldOut })
}

// GlobRoot is the folder that the literal beginning of a pattern means.
var GlobRoot = globRoot
