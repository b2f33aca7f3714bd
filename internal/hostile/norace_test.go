//go:build !race

package hostile_test

import "math"

const (
	slower  = 1
	largest = math.MaxInt
	bombs   = true
)
