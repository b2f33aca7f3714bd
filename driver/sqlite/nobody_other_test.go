//go:build !unix

package sqlite_test

import "testing"

func asNobody(t *testing.T) { t.Skip("this system has no root") }
