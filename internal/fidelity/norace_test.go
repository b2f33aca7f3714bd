//go:build !race

package fidelity_test

// usualSeeds make 20,000 queries × data.
const usualSeeds = "1..100"
