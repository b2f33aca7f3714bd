//go:build race

package fidelity_test

// usualSeeds are fewer under the race detector, which makes each query cost
// several times as much: what it looks for shows in few.
const usualSeeds = "1..10"
