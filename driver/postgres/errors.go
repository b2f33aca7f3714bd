package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"dataknobs.dev/dataknobs"
)

// SQLSTATEs that the driver itself looks at.
const (
	uniqueViolation       = "23505"
	undefinedTable        = "42P01"
	duplicateTable        = "42P07"
	duplicateObject       = "42710"
	queryCanceled         = "57014"
	serializationFailure  = "40001"
	deadlockDetected      = "40P01"
	planChanged           = "0A000" // cached plan must not change result type
	notSupported          = "0A000" // such as COPY under row-level security
	noSuchStatement       = "26000"
	readOnlyTransaction   = "25006"
	objectNotInState      = "55000" // materialized view "…" has not been populated
	characterNotInDialect = "22P05"
)

// cause is the server's error under ours: there for errors.As, without a text,
// since the server's own may show what stands in the row.
type cause struct{ *pgconn.PgError }

func (cause) Error() string   { return "" }
func (c cause) Unwrap() error { return c.PgError }

// classify turns an error of pgx into one with a code. Errors of the caller's
// context and errors that have a code pass through.
func classify(ctx context.Context, err error) error {
	var own *dataknobs.Error
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &connect):
		return connectError(connect)
	case errors.As(err, &pg):
		return serverError(pg)
	case errors.Is(err, pgconn.ErrConnClosed):
		return dataknobs.Errorf(dataknobs.Unavailable, "the connection to the server is closed")
	case isNetwork(err):
		return dataknobs.Errorf(dataknobs.Unavailable, "the connection to the server was lost: %s", netReason(err)).
			WithHint("try again once the server can be reached")
	}
	return dataknobs.Errorf(dataknobs.Internal, "%s", err)
}

// isLost reports whether the connection died under a statement, so that nobody
// knows whether the statement was carried out.
func isLost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return isShutdown(pg)
	}
	return err != nil && !pgconn.SafeToRetry(err)
}

// isShutdown reports whether the server ended the session, or PgBouncer did,
// whose every error is a fatal violation of the protocol.
func isShutdown(pg *pgconn.PgError) bool {
	switch pg.Code {
	case "57P01", "57P02", "57P03", "57P05":
		return true
	case "08P01":
		return pg.Severity == "FATAL"
	}
	return strings.HasPrefix(pg.Code, "08")
}

// writeError is classify for a statement that may have changed something.
func writeError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || !isLost(err) {
		return classify(ctx, err)
	}
	var own *dataknobs.Error
	if errors.As(err, &own) {
		return err
	}
	return dataknobs.Errorf(dataknobs.Unavailable, "the connection was lost before the server acknowledged the write, so its outcome is unknown").
		WithHint("read the record to see whether it was applied; the write is not repeated")
}

// serverError classifies what the server said.
func serverError(pg *pgconn.PgError) error {
	e := known(pg)
	if e == nil {
		e = byClass(pg)
	}
	if e.Err == nil {
		e.Err = cause{pg}
	}
	return e
}

// known are the errors that deserve words of their own; nil: none.
func known(pg *pgconn.PgError) *dataknobs.Error {
	errorf := dataknobs.Errorf
	switch pg.Code {
	case "28P01", "28000":
		return errorf(dataknobs.PermissionDenied, "the server refused the login: %s", pg.Message).
			WithHint("look at user and password, at PGPASSWORD and the password file, and at the server's pg_hba.conf")
	case "3D000":
		return errorf(dataknobs.NotFound, "%s", pg.Message).WithHint("create it, or name another after the host")
	case "3F000":
		return errorf(dataknobs.NotFound, "%s", pg.Message).WithHint("create the schema, or name another")
	case undefinedTable:
		return errorf(dataknobs.NotFound, "%s", pg.Message)
	case "42703":
		return errorf(dataknobs.NotFound, "%s", pg.Message).WithHint("the table was changed since the store was opened: open it again")
	case "42501":
		return errorf(dataknobs.PermissionDenied, "%s", pg.Message).WithHint("GRANT it to the role, or connect as another user")
	case "53300":
		return errorf(dataknobs.Unavailable, "the server has no free connection: %s", pg.Message).
			WithHint("lower pool.max, or raise the server's max_connections")
	case "53100":
		return errorf(dataknobs.ResourceExhausted, "the server's disk is full").WithHint("make room on the server")
	case "53200":
		return errorf(dataknobs.ResourceExhausted, "the server is out of memory")
	case queryCanceled:
		return errorf(dataknobs.Unavailable, "the server gave up the statement: it ran longer than statement_timeout, or someone cancelled it").
			WithHint("narrow the query, declare an index, or raise statement_timeout")
	case "55P03":
		return errorf(dataknobs.Unavailable, "the record or the table is locked by another transaction for longer than lock_timeout").
			WithHint("try again, or raise lock_timeout")
	case readOnlyTransaction:
		return errorf(dataknobs.PermissionDenied, "the server takes no writes: it is a standby, or the session or transaction is read-only").
			WithHint("connect to the primary: target_session_attrs=read-write picks it among several hosts")
	case serializationFailure, deadlockDetected:
		return serialization(pg)
	case objectNotInState:
		return errorf(dataknobs.Unavailable, "%s", pg.Message)
	}
	return nil
}

// serialization asks for the transaction to be run again.
func serialization(pg *pgconn.PgError) *dataknobs.Error {
	what := "the transaction clashed with another one that was committed first"
	if pg.Code == deadlockDetected {
		what = "the transaction and another one waited for each other"
	}
	e := dataknobs.Errorf(dataknobs.Conflict, "%s", what).WithHint("run it again")
	e.Err = serializationCause{cause{pg}}
	return e
}

// serializationCause is a cause that is dataknobs.ErrSerialization as well.
type serializationCause struct{ cause }

func (serializationCause) Is(target error) bool { return target == dataknobs.ErrSerialization }

// byClass goes by the first two characters.
func byClass(pg *pgconn.PgError) *dataknobs.Error {
	errorf := dataknobs.Errorf
	switch class := pg.Code[:min(2, len(pg.Code))]; {
	case isShutdown(pg):
		return errorf(dataknobs.Unavailable, "the server ended the connection: %s", pg.Message).
			WithHint("try again once the server is up")
	case class == "22":
		return dataError(pg)
	case class == "23":
		return violation(pg)
	case class == "28":
		return errorf(dataknobs.PermissionDenied, "the server refused the login: %s", pg.Message)
	case class == "53":
		return errorf(dataknobs.ResourceExhausted, "the server is short of resources: %s", pg.Message)
	case class == "54":
		return errorf(dataknobs.ResourceExhausted, "a limit of the server was reached: %s", pg.Message)
	case class == "58" || class == "XX":
		return damage(pg)
	case class == "0A":
		return errorf(dataknobs.Unsupported, "%s", pg.Message)
	case class == "55" || class == "57":
		return errorf(dataknobs.Unavailable, "%s", pg.Message)
	case class == "25":
		return errorf(dataknobs.Conflict, "the transaction has failed and must be rolled back")
	}
	return errorf(dataknobs.Internal, "the server says: %s (SQLSTATE %s)", pg.Message, pg.Code)
}

func damage(pg *pgconn.PgError) *dataknobs.Error {
	if pg.Code == "XX001" || pg.Code == "XX002" {
		return dataknobs.Errorf(dataknobs.DataLoss, "the server found damaged data: %s", pg.Message)
	}
	return dataknobs.Errorf(dataknobs.Internal, "the server failed: %s (SQLSTATE %s)", pg.Message, pg.Code)
}

// dataError is of a value that the column cannot hold. The server's text may
// show the value, so it is left out.
func dataError(pg *pgconn.PgError) *dataknobs.Error {
	what := "a value does not fit its column's type"
	switch pg.Code {
	case "22001":
		what = "a text is too long for its column"
		if pg.Message != "" && strings.Contains(pg.Message, "(") {
			what += ": " + pg.Message // it names the type, not the value
		}
	case "22003":
		what = "a number is out of its column's range"
	case "22007", "22008":
		what = "a time is not one that its column can hold"
	case "22021", characterNotInDialect:
		what = "a text has a character that the database's encoding cannot hold"
	case "22P02", "22P03", "22023", "22030", "22032":
		what = "a value is not of the form that its column's type asks for"
	}
	if pg.ColumnName != "" {
		what += ": the field " + dataknobs.Names(pg.ColumnName).String()
	}
	return dataknobs.Errorf(dataknobs.InvalidArgument, "%s", what)
}

// violation is of a constraint. It names the fields, never the values.
func violation(pg *pgconn.PgError) *dataknobs.Error {
	errorf := dataknobs.Errorf
	switch pg.Code {
	case "23502":
		return errorf(dataknobs.InvalidArgument, "the field %s must have a value", dataknobs.Names(pg.ColumnName)).
			WithHint("the column %s of %s is NOT NULL", pg.ColumnName, pg.TableName)
	case "23503":
		return errorf(dataknobs.Conflict, "a record refers to one in another table that is not there, or is referred to: constraint %s%s", pg.ConstraintName, ofFields(pg.Detail))
	case uniqueViolation:
		return errorf(dataknobs.Conflict, "another record has the same value%s: constraint %s", ofFields(pg.Detail), pg.ConstraintName)
	case "23514":
		return errorf(dataknobs.InvalidArgument, "the record breaks the rule %s of the table %s", pg.ConstraintName, pg.TableName)
	case "23P01":
		return errorf(dataknobs.Conflict, "another record excludes this one: constraint %s", pg.ConstraintName)
	}
	return errorf(dataknobs.InvalidArgument, "the record breaks the constraint %s", pg.ConstraintName)
}

// ofFields returns the names of the columns that a detail such as
// Key (a, b)=(1, 2) already exists names.
func ofFields(detail string) string {
	from := strings.IndexByte(detail, '(')
	to := strings.Index(detail, ")=(")
	if from < 0 || to < from {
		return ""
	}
	return " of " + detail[from+1:to]
}

// keyOf returns the value that such a detail names; "" if there is none.
func keyOf(detail string) string {
	from, to := strings.Index(detail, ")=("), strings.LastIndexByte(detail, ')')
	if from < 0 || to < from+3 {
		return ""
	}
	return detail[from+3 : to]
}

// codeOf returns the SQLSTATE of err; "" if it is not the server's.
func codeOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
