//go:build !race

package file

const thin = 1
