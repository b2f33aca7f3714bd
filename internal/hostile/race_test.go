//go:build race

package hostile_test

// Under the race detector everything takes several times as long: large inputs,
// and small ones that become large, are left to the run without it.
const (
	slower  = 4
	largest = 8 << 20
	bombs   = false
)
