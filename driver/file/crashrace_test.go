//go:build race

package file

// Under the race detector everything takes several times as long, and it is not
// what the crash tests are for.
const thin = 2
