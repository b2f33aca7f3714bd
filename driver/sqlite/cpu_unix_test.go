//go:build unix

package sqlite_test

import (
	"syscall"
	"time"
)

// cpuTime is how long this process has been computing: what a busy machine
// does not change.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
