package file

import (
	"context"
	"io"
	"os"
)

// An input is standard input on its way into a temporary file: inferring
// kinds, and every query after the first, read it again.
type input struct {
	done chan struct{} // closed when all is read; f and err are set then
	f    *os.File
	err  error
}

// openStdin reads all of standard input, once. Reading cannot be interrupted,
// so a call whose context ends leaves it to go on, and a later call waits for it again.
func (d *Driver) openStdin(ctx context.Context) error {
	if err := d.stdinLock.lock(ctx); err != nil {
		return err
	}
	defer d.stdinLock.unlock()
	d.mu.RLock()
	done := d.closed || d.st != nil
	d.mu.RUnlock()
	if done {
		return nil
	}
	if d.stdin == nil {
		in := &input{done: make(chan struct{})}
		d.stdin = in
		go func() {
			defer close(in.done)
			in.f, _, in.err = spool(stdin)
		}()
	}
	select {
	case <-d.stdin.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if d.stdin.err != nil {
		return d.stdin.err
	}
	return d.adoptStdin(ctx, d.stdin.f)
}

func (d *Driver) adoptStdin(ctx context.Context, f *os.File) (err error) {
	p := &part{name: "standard input", f: f, comp: d.t.comp}
	if p.info, err = f.Stat(); err != nil {
		return ioError(p.name, err)
	}
	if p.comp == noCompression && d.o.Compression == "" {
		p.comp = sniffed(f)
	}
	b := &base{o: &d.o, t: d.t, id: idOf(p.info), parts: []*part{p}, rows: -1, work: newWorkLock()}
	if err := b.open(ctx, &side{Version: 1}); err != nil {
		return err
	}
	b.acquire()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.st = &state{base: b, ov: newOverlay(), side: &side{Version: 1}}
	d.setFeatures(d.featuresOf(b))
	return nil
}

// sniffed is the compression that a file's first bytes show.
func sniffed(f io.ReaderAt) compression {
	var head [4]byte
	n, _ := f.ReadAt(head[:], 0)
	switch contentOf(head[:n]) {
	case "gzip":
		return gzipped
	case "zstd":
		return zstandard
	}
	return noCompression
}
