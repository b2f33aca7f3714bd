//go:build race

package main

// Under the race detector everything takes several times as long.
const (
	slower      = 4
	raceEnabled = true
)
