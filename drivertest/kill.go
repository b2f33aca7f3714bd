package drivertest

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
)

// killEnv makes the test program a writer that is to be killed.
const killEnv = "DATAKNOBS_TEST_WRITE"

// Kill is the test of an embedded store that a process which is killed at any
// moment loses nothing that it acknowledged, and leaves no half of anything.
// The writer is the test program itself:
//
//	func TestMain(m *testing.M) {
//		if kill.Main() {
//			return
//		}
//		os.Exit(m.Run())
//	}
type Kill struct {
	// Write opens the store at path in the process that is to be killed, with
	// settings that make it do often what it does seldom. It makes a store that is
	// not there.
	Write func(ctx context.Context, path string) (dataknobs.Driver, error)
	// Read opens what such a process has left. It makes a store that is not there.
	Read func(ctx context.Context, path string) (dataknobs.Driver, error)
}

// Main writes until it is killed, where this process was started for that, and
// reports whether it was.
func (k *Kill) Main() bool {
	path := os.Getenv(killEnv)
	if path == "" {
		return false
	}
	k.write(path, os.Getenv(killEnv+"_ROUND"))
	return true
}

// Run kills so many writers of the store at path, one after the other, and
// looks after each for all that any of them has acknowledged.
func (k *Kill) Run(t *testing.T, path string, rounds int) {
	t.Helper()
	v := &killed{T: t, by: k, path: path, have: map[string]bool{}, count: map[string]int64{}}
	for round := range rounds {
		v.round(round)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d writers were killed, %d writes acknowledged", rounds, v.acks)
}

// write writes by several goroutines and says on standard output what was
// acknowledged.
func (k *Kill) write(path, round string) {
	ctx := context.Background()
	d, err := k.Write(ctx, path)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	db := dataknobs.New(d, nil)
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	var wg sync.WaitGroup
	for g := range 3 {
		wg.Go(func() {
			counter := fmt.Sprintf("counter-%d", g)
			for k := 0; ; k++ {
				id := fmt.Sprintf("%s-%d-%d", round, g, k)
				var err error
				switch k % 4 {
				case 0:
					_, err = db.Create(ctx, dataknobs.NewRecord(id, dataknobs.F("n", k)))
					if err == nil {
						say("have %s", id)
					}
				case 1:
					_, err = db.CreateMany(ctx, []*dataknobs.Record{
						dataknobs.NewRecord(id+"-a", dataknobs.F("n", k)), dataknobs.NewRecord(id+"-b", dataknobs.F("n", k)),
					}, dataknobs.Atomic())
					if err == nil {
						say("have %s-a", id)
						say("have %s-b", id)
					}
				case 2:
					rec, e := db.Get(ctx, counter)
					n := int64(0)
					if e == nil {
						n = rec.Get("n").Int()
					}
					_, err = db.Put(ctx, dataknobs.NewRecord(counter, dataknobs.F("n", n+1)))
					if err == nil {
						say("count %s %d", counter, n+1)
					}
				case 3:
					gone := fmt.Sprintf("%s-%d-%d", round, g, k-3)
					say("deleting %s", gone)
					if err = db.Delete(ctx, gone); err == nil {
						say("gone %s", gone)
					}
				}
				if err != nil {
					say("error %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// killed is what the writers acknowledged before they were killed.
type killed struct {
	*testing.T
	by    *Kill
	path  string
	have  map[string]bool // false: it may be there or not
	count map[string]int64
	acks  int
}

func (k *killed) round(n int) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), killEnv+"="+k.path, killEnv+fmt.Sprintf("_ROUND=%d", n))
	out, err := cmd.StdoutPipe()
	if err != nil {
		k.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		k.Fatal(err)
	}
	// The clock starts at the first acknowledgement, so that most deaths fall
	// into the writing.
	lines := bufio.NewScanner(out)
	first := true
	timer := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
	for lines.Scan() {
		if first {
			first = false
			timer.Reset(time.Duration(rand.Int64N(int64(25 * time.Millisecond))))
		}
		k.ack(lines.Text())
	}
	_ = cmd.Wait()
	timer.Stop()
	k.check(n)
}

func (k *killed) ack(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "have":
		k.have[rest] = true
	case "deleting":
		k.have[rest] = false
	case "gone":
		delete(k.have, rest)
	case "count":
		var id string
		var n int64
		_, _ = fmt.Sscanf(rest, "%s %d", &id, &n)
		k.count[id] = max(k.count[id], n)
	case "error":
		k.Errorf("the writer: %s", rest)
	}
	k.acks++
}

func (k *killed) check(round int) {
	d, err := k.by.Read(k.Context(), k.path)
	if err != nil {
		k.Fatalf("round %d: open: %v", round, err)
	}
	defer d.Close()
	got := map[string]int64{}
	for r, err := range d.Scan(k.Context(), &dataknobs.Scan{}) {
		if err != nil {
			k.Fatalf("round %d: read: %v", round, err)
		}
		if _, twice := got[r.ID]; twice {
			k.Errorf("round %d: %s is there twice", round, r.ID)
		}
		got[r.ID] = r.Get("n").Int()
	}
	for id, sure := range k.have {
		if _, ok := got[id]; !ok && sure {
			k.Errorf("round %d: %s was acknowledged and is not there", round, id)
		}
	}
	for id, n := range k.count {
		if got[id] < n || got[id] > n+1 {
			k.Errorf("round %d: %s is %d; %d was acknowledged", round, id, got[id], n)
		}
		k.count[id] = got[id]
	}
	for id := range got {
		if half, ok := strings.CutSuffix(id, "-a"); ok {
			if _, ok := got[half+"-b"]; !ok {
				k.Errorf("round %d: of an atomic batch only %s is there", round, id)
			}
		}
	}
}
