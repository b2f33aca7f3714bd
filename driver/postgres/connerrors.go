package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"dataknobs.dev/dataknobs"
	"github.com/jackc/pgx/v5/pgconn"
)

// isNetwork reports whether err is of the connection, not of the server.
func isNetwork(err error) bool {
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, net.ErrClosed) || isEOF(err) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || pgconn.Timeout(err) || errors.Is(err, os.ErrDeadlineExceeded)
}

func isEOF(err error) bool {
	return strings.HasSuffix(err.Error(), "EOF")
}

func netReason(err error) string {
	switch {
	case isEOF(err):
		return "the server closed it"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "it was reset"
	case pgconn.Timeout(err), errors.Is(err, os.ErrDeadlineExceeded):
		return "the server did not answer in time"
	}
	return "the network failed"
}

// connectError says why no connection came about. The causes may hold an
// error of a context of pgx's own, so they are not wrapped.
func connectError(err *pgconn.ConnectError) error {
	c := err.Config
	where := "the server at " + hostsOf(c)
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return serverError(pg)
	}
	if e := tlsError(err, where); e != nil {
		return e
	}
	e := unreachable(err, where)
	e.Err = notSent{}
	return e
}

// notSent is [dataknobs.ErrNotSent] without its text: the message says more.
type notSent struct{}

func (notSent) Error() string { return "" }

func (notSent) Unwrap() error { return dataknobs.ErrNotSent }

// unreachable says why a server was not reached, so that nothing was asked of it.
func unreachable(err *pgconn.ConnectError, where string) *dataknobs.Error {
	c := err.Config
	switch {
	case strings.Contains(err.Error(), "ValidateConnect failed"):
		return dataknobs.Errorf(dataknobs.Unavailable, "none of the servers at %s that can be reached is as target_session_attrs asks", hostsOf(c))
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
		return dataknobs.Errorf(dataknobs.Unavailable, "%s cannot be reached: nothing listens there", where).
			WithHint("is the server running, and are host and port right? pg_isready -h %s -p %d tells", c.Host, c.Port)
	case isNoHost(err):
		return dataknobs.Errorf(dataknobs.Unavailable, "%s cannot be reached: there is no such host", where).
			WithHint("check the name in the URL, the option host or PGHOST: getent hosts %s", c.Host)
	case isNetwork(err), errors.Is(err, context.DeadlineExceeded):
		return dataknobs.Errorf(dataknobs.Unavailable, "%s cannot be reached: %s", where, netReason(err))
	}
	return dataknobs.Errorf(dataknobs.Unavailable, "%s cannot be reached", where)
}

// tlsError says what is wrong with TLS; nil: nothing, or it is not insisted on,
// so that something else is to blame.
func tlsError(err *pgconn.ConnectError, where string) error {
	c := err.Config
	if c.TLSConfig == nil || slices.ContainsFunc(c.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.TLSConfig == nil }) {
		return nil
	}
	errorf := func(format string, args ...any) *dataknobs.Error {
		return dataknobs.Errorf(dataknobs.PermissionDenied, where+": "+format, args...)
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &host):
		return errorf("the server's certificate is not for the host %s", host.Host).
			WithHint("connect by a name that it is for, or say sslmode=verify-ca, which asks for none")
	case errors.As(err, &unknown):
		return errorf("the server's certificate is of an authority that is not trusted").WithHint("name the file of its authority by sslrootcert")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return errorf("the server's certificate has expired, or is not valid yet")
	case errors.As(err, &invalid), errors.As(err, &record), strings.Contains(err.Error(), "tls: "), strings.Contains(err.Error(), "x509: "):
		return errorf("the TLS handshake failed").WithHint("look at sslmode, sslrootcert, sslcert and sslkey")
	case strings.Contains(err.Error(), "refused TLS"):
		return dataknobs.Errorf(dataknobs.PermissionDenied, "%s does not speak TLS, which sslmode asks for", where)
	}
	return nil
}

func isNoHost(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound
}

// configError says what is wrong with the settings, without showing them.
func configError(err error) error {
	text := err.Error()
	if i := strings.LastIndex(text, "`: "); i >= 0 && strings.HasPrefix(text, "cannot parse") {
		text = text[i+3:]
	} else {
		text = "they cannot be parsed"
	}
	return dataknobs.Errorf(dataknobs.InvalidArgument, "the connection settings: %s", text)
}

// hostsOf lists where a configuration leads.
func hostsOf(c *pgconn.Config) string {
	one := func(host string, port uint16) string {
		if strings.HasPrefix(host, "/") {
			return fmt.Sprintf("%s/.s.PGSQL.%d", host, port)
		}
		return net.JoinHostPort(host, strconv.Itoa(int(port)))
	}
	hosts := []string{one(c.Host, c.Port)}
	for _, f := range c.Fallbacks {
		if h := one(f.Host, f.Port); !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return strings.Join(hosts, ", ")
}
