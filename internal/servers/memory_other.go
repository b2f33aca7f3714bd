//go:build !linux

package servers

func memoryDir() (string, error) { return tempDir() }
