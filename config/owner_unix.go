//go:build unix

package config

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// ownFile reports whether a file belongs to this user, to root, or to whoever
// became root by sudo.
func ownFile(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	uid := int(st.Uid)
	if sudo, err := strconv.Atoi(os.Getenv("SUDO_UID")); err == nil && uid == sudo {
		return true
	}
	return uid == 0 || uid == os.Getuid()
}
