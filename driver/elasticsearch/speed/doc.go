// Package speed measures the Elasticsearch store against the official client
// used directly: the same records, the same index, the same searches. It is a
// package of its own because that client takes long to build.
package speed
