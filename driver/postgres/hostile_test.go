package postgres_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/lies"
	"dataknobs.dev/dataknobs/internal/hostile"
)

// A liar passes on what a server says, but for one message.
type liar struct {
	listener net.Listener
	server   string
	all      sync.WaitGroup

	mu    sync.Mutex
	lie   *hostile.Message // the one to tell; guarded by mu
	conns []net.Conn       // guarded by mu
}

func newLiar(t *testing.T, server string) *liar {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{server: u.Host}
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(background)
	l.all.Go(func() { l.serve(ctx) })
	t.Cleanup(func() {
		cancel()
		l.listener.Close()
		l.all.Wait()
	})
	return l
}

func (l *liar) tell(m *hostile.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie = m
	if m != nil {
		return
	}
	for _, c := range l.conns { // nobody need wait for the end of a silence
		c.Close()
	}
	l.conns = nil
}

// take returns the lie to tell in place of a message. A read that is made again
// gets it again.
func (l *liar) take(kind byte) *hostile.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lie == nil || l.lie.At != kind {
		return nil
	}
	return l.lie
}

func (l *liar) serve(ctx context.Context) {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.conns = append(l.conns, c)
		l.mu.Unlock()
		l.all.Go(func() {
			defer context.AfterFunc(ctx, func() { c.Close() })()
			defer c.Close()
			l.talk(c)
		})
	}
}

func (l *liar) talk(c net.Conn) {
	if m := l.take(0); m != nil {
		_, _ = io.ReadAtLeast(c, make([]byte, 4096), 1)
		say(c, m)
		return
	}
	d, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	l.all.Go(func() {
		_, _ = io.Copy(d, c)
		d.Close()
	})
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(d, head); err != nil {
			return
		}
		if m := l.take(head[0]); m != nil {
			say(c, m)
			d.Close()
			return
		}
		body := io.LimitReader(d, int64(binary.BigEndian.Uint32(head[1:]))-4)
		if _, err := io.Copy(c, io.MultiReader(strings.NewReader(string(head)), body)); err != nil {
			return
		}
	}
}

func say(c net.Conn, m *hostile.Message) {
	_, err := io.WriteString(c, m.Send)
	for many := strings.Repeat(m.Send, 100); m.Forever && err == nil; {
		_, err = io.WriteString(c, many)
	}
	if m.Silent {
		_, _ = io.Copy(io.Discard, c) // until the client has had enough
	}
}

// A server that lies, or is broken, is noticed: nothing is taken for an answer
// that is none, and no write is acknowledged that did not happen.
func TestLies(t *testing.T) {
	s := newSchema(t)
	l := newLiar(t, s.url)
	u, err := url.Parse(s.at("lies"))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = l.listener.Addr().String()
	q := u.Query()
	q.Set("sslmode", "disable")
	honest := open(t, s.at("lies"))
	if _, err := honest.Put(t.Context(), dataknobs.NewRecord("x", dataknobs.F("n", 1))); err != nil {
		t.Fatal(err)
	}
	limits := lies.Limits{Patience: 10 * time.Second, Silence: 300 * time.Millisecond, Time: 9 * time.Second, Heap: 600 << 20, Secret: "app:app"}
	for i, m := range hostile.Postgres {
		t.Run(m.Name, func(t *testing.T) {
			q.Set("application_name", fmt.Sprintf("lies %d", i)) // a pool of its own
			u.RawQuery = q.Encode()
			var db *dataknobs.DB
			if m.Do != "open" {
				db = open(t, u.String())
				if _, err := db.Get(t.Context(), "x"); err != nil {
					t.Fatal(err)
				}
			}
			l.tell(&m)
			limits.Hold(t, m.Do, m.Want, func(ctx context.Context) error { return lied(ctx, db, u.String(), m.Do) })
			l.tell(nil)
			if db == nil {
				return
			}
			// The same handle works on, and what it says is true.
			r, err := db.Get(t.Context(), "x")
			if err != nil || m.Do != "put" && r.Get("n").Int() != 1 {
				t.Errorf("afterwards the record is %v (%v)", r, err)
			}
			db.Close()
			lies.Settled(t, func(stacks string) bool {
				return strings.Count(stacks, "pgxpool.(*Pool).backgroundHealthCheck") > 1 // the honest one's
			})
		})
	}
}

// lied asks the store for something.
func lied(ctx context.Context, db *dataknobs.DB, name, do string) error {
	var err error
	switch do {
	case "open":
		if db, err = dataknobs.Open(ctx, name, nil); err == nil {
			_, err = db.Get(ctx, "x")
			db.Close()
		}
	case "get":
		_, err = db.Get(ctx, "x")
	case "all":
		_, err = db.All(ctx, nil)
	case "count":
		_, err = db.Count(ctx, nil)
	case "put":
		_, err = db.Put(ctx, dataknobs.NewRecord("x", dataknobs.F("n", 1)))
	}
	return err
}
