//go:build !unix

package nobody

import "testing"

// Run skips t: see the other systems' Run.
func Run(t *testing.T) { t.Skip("this system has no root") }
