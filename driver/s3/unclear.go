package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"

	"dataknobs.dev/dataknobs"
)

// unclearKey is the context's key for the *atomic.Bool that an attempt to write
// sets when it ends without an answer: the server may have carried it out.
type unclearKey struct{}

// watching returns a context whose writes tell whether one went unanswered.
func watching(ctx context.Context) (context.Context, *atomic.Bool) {
	unclear := new(atomic.Bool)
	return context.WithValue(ctx, unclearKey{}, unclear), unclear
}

// watchAttempts adds what looks at each attempt, behind what repeats them.
func watchAttempts(stack *middleware.Stack) error {
	switch stack.ID() {
	case "PutObject", "CompleteMultipartUpload", "DeleteObject":
	default:
		return nil
	}
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("watchAttempts", watchAttempt), "Retry", middleware.After)
}

func watchAttempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	out, meta, err := next.HandleFinalize(ctx, in)
	if unclear, ok := ctx.Value(unclearKey{}).(*atomic.Bool); ok && err != nil && unanswered(err) {
		unclear.Store(true)
	}
	return out, meta, err
}

// unanswered reports whether an attempt may have been carried out: it was sent,
// and the server did not say that it refuses it.
func unanswered(err error) bool {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return false
	}
	var re *awshttp.ResponseError
	if !errors.As(err, &re) || re.Response == nil {
		return true
	}
	status := re.HTTPStatusCode() // 0: there was no answer
	return status < 400 || status >= 500 && status != http.StatusNotImplemented && !throttled(err)
}

// unknown is the error of a write that came to err after an attempt at it had
// gone unanswered: that attempt may have been carried out, and what others did
// since may hide it.
func unknown(key string, err error) error {
	if dataknobs.IsContext(err) || errors.Is(err, dataknobs.ErrUnknownOutcome) {
		return err
	}
	e := dataknobs.Errorf(dataknobs.Unavailable, "it is not known whether the object %s was written: an attempt went unanswered, and then: %s", key, err)
	e.Err = hidden{errors.Join(dataknobs.ErrUnknownOutcome, err)}
	return e.WithHint("look whether it was, before doing it again")
}
