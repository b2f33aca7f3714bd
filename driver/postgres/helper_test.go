package postgres_test

import "context"

// background is for what outlives a test's own context: its cleanup.
var background = context.Background()
