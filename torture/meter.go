package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// openFiles counts the descriptors of this process, where the system has /proc.
func openFiles() (int, error) {
	names, err := os.ReadDir("/proc/self/fd")
	return len(names), err
}

// resident is the memory that this process holds, C's and mapped files included.
func resident() (int, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, pages int
	_, err = fmt.Sscan(string(text), &size, &pages)
	return pages * os.Getpagesize(), err
}

// connections counts the connections that a server on this machine has, from
// whomever.
func connections(port int) (int, error) {
	const established = "01"
	n := 0
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 4 || f[3] != established {
				continue
			}
			_, local, _ := strings.Cut(f[1], ":")
			if p, err := strconv.ParseUint(local, 16, 16); err == nil && int(p) == port {
				n++
			}
		}
	}
	return n, nil
}

// searchContexts counts the scrolls and points in time that an Elasticsearch
// node keeps for somebody.
func searchContexts(port int) (int, error) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/_nodes/stats/indices/search?filter_path=nodes.*.indices.search.open_contexts", port))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Nodes map[string]struct {
			Indices struct {
				Search struct {
					Open int `json:"open_contexts"`
				}
			}
		}
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	n := 0
	for _, node := range answer.Nodes {
		n += node.Indices.Search.Open
	}
	return n, err
}
