package servers

import (
	"net"
	"time"
)

// Lag passes on what comes to an address, each way half of rtt later, as a far
// region would. It returns an address of its own, at which it listens until
// stop is called.
func Lag(target string, rtt time.Duration) (addr string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d, err := net.Dial("tcp", target)
			if err != nil {
				c.Close()
				continue
			}
			go delay(c, d, rtt/2)
			go delay(d, c, rtt/2)
		}
	}()
	return l.Addr().String(), func() { l.Close() }, nil
}

func delay(from, to net.Conn, t time.Duration) {
	type chunk struct {
		data []byte
		at   time.Time
	}
	chunks := make(chan chunk, 1000)
	go func() {
		defer to.Close()
		for c := range chunks {
			time.Sleep(time.Until(c.at))
			if _, err := to.Write(c.data); err != nil {
				break
			}
		}
		for range chunks { //nolint:revive // what nobody takes any more
		}
	}()
	defer close(chunks)
	for {
		buf := make([]byte, 16<<10)
		n, err := from.Read(buf)
		if n > 0 {
			chunks <- chunk{buf[:n], time.Now().Add(t)}
		}
		if err != nil {
			return
		}
	}
}
