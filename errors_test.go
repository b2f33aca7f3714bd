package dataknobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"dataknobs.dev/dataknobs"
)

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  dataknobs.Error
		want string
	}{
		{dataknobs.Error{Code: dataknobs.NotFound}, "not found"},
		{dataknobs.Error{Code: dataknobs.NotFound, Op: "get", Store: "a.csv", ID: "1"}, `get: a.csv: record "1": not found`},
		{dataknobs.Error{Code: dataknobs.DataLoss, Op: "query", Store: "a.csv", Message: "line 3: bad", Hint: "mend it"}, "query: a.csv: line 3: bad (mend it)"},
		{dataknobs.Error{Code: dataknobs.DataLoss, Op: "query", Store: "a.csv", Message: "a.csv: line 3: bad"}, "query: a.csv: line 3: bad"},
		{dataknobs.Error{Code: dataknobs.DataLoss, Op: "get", Store: "a.csv", Err: errors.New("a.csv: twice")}, "get: a.csv: twice"},
		{dataknobs.Error{Code: dataknobs.Internal, Store: "mem:", Message: "reading", Err: io.ErrUnexpectedEOF}, "mem: reading: unexpected EOF"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%+v prints\n%s\nwant\n%s", c.err, got, c.want)
		}
	}
}

func TestErrorCodes(t *testing.T) {
	cause := fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)
	err := error(dataknobs.Errorf(dataknobs.DataLoss, "line %d: %w", 3, cause))
	if got, want := err.Error(), "line 3: reading: unexpected EOF"; got != want {
		t.Errorf("the text is %q, want %q", got, want)
	}
	for _, target := range []error{dataknobs.DataLoss, io.ErrUnexpectedEOF} {
		if !errors.Is(err, target) {
			t.Errorf("errors.Is(err, %v) is false", target)
		}
	}
	if errors.Is(err, dataknobs.NotFound) {
		t.Error("the error is also NotFound")
	}
	for _, c := range []struct {
		err  error
		want dataknobs.Code
	}{
		{nil, 0},
		{context.Canceled, 0},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), 0},
		{err, dataknobs.DataLoss},
		{fmt.Errorf("x: %w", dataknobs.Conflict), dataknobs.Conflict},
		{io.EOF, dataknobs.Internal},
	} {
		if got := dataknobs.CodeOf(c.err); got != c.want {
			t.Errorf("CodeOf(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}
