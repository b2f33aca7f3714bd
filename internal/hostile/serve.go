package hostile

import (
	"io"
	"net/http"
	"strings"
)

// Tells reports whether the lie is about that request.
func (l *Lie) Tells(r *http.Request) bool {
	return (l.Method == "" || l.Method == r.Method) && (l.On == "" || strings.Contains(r.URL.RequestURI(), l.On))
}

// ServeHTTP tells the lie.
func (l *Lie) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	for name, value := range l.Header {
		w.Header().Set(name, value)
	}
	if l.Length != "" {
		w.Header().Set("Content-Length", l.Length)
	}
	if l.Status > 0 {
		w.WriteHeader(l.Status)
	}
	_, err := io.WriteString(w, l.Body)
	if l.Slow {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	for more := strings.Repeat(l.Forever, 1+4096/max(len(l.Forever), 1)); l.Forever != "" && err == nil; {
		_, err = io.WriteString(w, more)
	}
	if l.Length != "" {
		panic(http.ErrAbortHandler) // the rest never comes
	}
}
