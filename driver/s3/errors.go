package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"dataknobs.dev/dataknobs"
)

// errPrecondition says that an object is not in the state that a conditional
// request asked for.
var errPrecondition = errors.New("precondition failed")

// errAbsent says that there is no such object.
var errAbsent = errors.New("no such object")

var errClosed = dataknobs.Errorf(dataknobs.InvalidArgument, "the store is closed")

// A rule says what an error code of S3 is.
type rule struct {
	code dataknobs.Code
	hint string
}

const (
	hintKeys  = "check the access key, the secret key and the session token"
	hintClock = "set the clock of this machine"
)

var rules = map[string]rule{
	"NoSuchBucket":                       {dataknobs.NotFound, "check the bucket's name, the endpoint and the region"},
	"AccessDenied":                       {dataknobs.PermissionDenied, ""},
	"AllAccessDisabled":                  {dataknobs.PermissionDenied, ""},
	"AccountProblem":                     {dataknobs.PermissionDenied, ""},
	"InvalidAccessKeyId":                 {dataknobs.PermissionDenied, hintKeys},
	"SignatureDoesNotMatch":              {dataknobs.PermissionDenied, hintKeys},
	"InvalidToken":                       {dataknobs.PermissionDenied, hintKeys},
	"InvalidClientTokenId":               {dataknobs.PermissionDenied, hintKeys},
	"AuthorizationHeaderMalformed":       {dataknobs.PermissionDenied, "check the region and the access key"},
	"ExpiredToken":                       {dataknobs.PermissionDenied, "the session has expired: sign in again"},
	"ExpiredTokenException":              {dataknobs.PermissionDenied, "the session has expired: sign in again"},
	"TokenRefreshRequired":               {dataknobs.PermissionDenied, "the session has expired: sign in again"},
	"RequestTimeTooSkewed":               {dataknobs.PermissionDenied, hintClock},
	"RequestExpired":                     {dataknobs.PermissionDenied, hintClock},
	"InvalidObjectState":                 {dataknobs.PermissionDenied, "the object is archived: restore it first"},
	"PermanentRedirect":                  {dataknobs.InvalidArgument, "the bucket is in another region: say region="},
	"IllegalLocationConstraintException": {dataknobs.InvalidArgument, "the bucket is in another region: say region="},
	"InvalidBucketName":                  {dataknobs.InvalidArgument, ""},
	"KeyTooLongError":                    {dataknobs.ResourceExhausted, "use a shorter prefix or a shorter ID"},
	"EntityTooLarge":                     {dataknobs.ResourceExhausted, ""},
	"MetadataTooLarge":                   {dataknobs.ResourceExhausted, ""},
	"QuotaExceeded":                      {dataknobs.ResourceExhausted, ""},
	"XMinioStorageFull":                  {dataknobs.ResourceExhausted, ""},
	"XMinioAdminBucketQuotaExceeded":     {dataknobs.ResourceExhausted, ""},
	"NotImplemented":                     {dataknobs.Unsupported, ""},
	"MethodNotAllowed":                   {dataknobs.Unsupported, ""},
	"SlowDown":                           {dataknobs.Unavailable, ""},
	"ServiceUnavailable":                 {dataknobs.Unavailable, ""},
	"InternalError":                      {dataknobs.Unavailable, ""},
	"RequestTimeout":                     {dataknobs.Unavailable, ""},
	"OperationAborted":                   {dataknobs.Unavailable, ""},
	"BadDigest":                          {dataknobs.Unavailable, "the upload was damaged on its way"},
	"XAmzContentSHA256Mismatch":          {dataknobs.Unavailable, "the upload was damaged on its way"},
	"XAmzContentChecksumMismatch":        {dataknobs.Unavailable, "the upload was damaged on its way"},
}

// classify returns err, which an operation on the bucket or one of its objects
// came to, as an Error; errPrecondition, errAbsent and errors of the context as
// themselves.
func (d *Driver) classify(ctx context.Context, what, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	var own *dataknobs.Error
	if errors.As(err, &own) && !errors.Is(err, errCut) {
		return own
	}
	status, code, text := details(err)
	switch {
	case status == http.StatusPreconditionFailed, code == "ConditionalRequestConflict", code == "PreconditionFailed":
		return errPrecondition
	case code == "NoSuchKey", status == http.StatusNotFound && key != "" && code != "NoSuchBucket" && code != "NoSuchUpload":
		return errAbsent
	}
	place := "the bucket " + d.bucket
	if key != "" {
		place = "the object " + d.bucket + "/" + key
	}
	r := ruleOf(status, code, err)
	if text == "" {
		text = r.code.Error()
	}
	e := dataknobs.Errorf(r.code, "cannot %s %s: %s", what, place, text)
	e.Err = hidden{err}
	if r.code == dataknobs.Unavailable {
		e.RetryAfter = retryAfter(err)
	}
	if r.hint != "" {
		return e.WithHint("%s", r.hint)
	}
	return e
}

// retryAfter is how long the server asks to wait; 0 if it does not say.
func retryAfter(err error) time.Duration {
	var re *awshttp.ResponseError
	if !errors.As(err, &re) || re.Response == nil {
		return 0
	}
	seconds, _ := strconv.Atoi(re.Response.Header.Get("Retry-After"))
	return time.Duration(max(0, min(seconds, 3600))) * time.Second
}

// hidden is a cause whose text is not shown: it repeats the message, with
// request IDs and addresses around it.
type hidden struct{ error }

func (hidden) Error() string   { return "" }
func (h hidden) Unwrap() error { return h.error }

// details returns the status of the answer (0: there was none), S3's code and
// what went wrong in words.
func details(err error) (status int, code, text string) {
	var re *awshttp.ResponseError
	if errors.As(err, &re) && re.Response != nil {
		status = re.HTTPStatusCode()
	}
	var ae smithy.APIError
	if errors.As(err, &ae) {
		code, text = ae.ErrorCode(), ae.ErrorMessage()
		if text == "" || text == "UnknownError" {
			text = code
		}
	}
	if text == "" || text == "UnknownError" {
		text = http.StatusText(status)
	}
	if status == 0 && code == "" {
		text = cause(err).Error()
	}
	return status, code, text
}

// cause is the innermost error that says something.
func cause(err error) error {
	for {
		var op *net.OpError
		if errors.As(err, &op) {
			return op
		}
		next := errors.Unwrap(err)
		if next == nil || next == io.EOF || next == io.ErrUnexpectedEOF {
			return err
		}
		err = next
	}
}

func ruleOf(status int, code string, err error) rule {
	if r, ok := rules[code]; ok {
		return r
	}
	switch {
	case throttled(err), status >= 500 && status != http.StatusNotImplemented:
		return rule{code: dataknobs.Unavailable}
	case status == http.StatusNotImplemented, status == http.StatusMethodNotAllowed:
		return rule{code: dataknobs.Unsupported}
	case status == http.StatusNotFound:
		return rules["NoSuchBucket"]
	case status == http.StatusMovedPermanently, status == http.StatusTemporaryRedirect:
		return rules["PermanentRedirect"]
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return rule{code: dataknobs.PermissionDenied}
	case status == http.StatusRequestEntityTooLarge:
		return rule{code: dataknobs.ResourceExhausted}
	case status >= 400:
		return rule{code: dataknobs.InvalidArgument}
	case strings.Contains(err.Error(), "get credentials"), strings.Contains(err.Error(), "refresh cached credentials"):
		return rule{dataknobs.PermissionDenied, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or access_key and secret_key; or say anonymous=true"}
	case strings.Contains(err.Error(), "Invalid Configuration: Missing Region"):
		return rule{dataknobs.InvalidArgument, "say region=, or set AWS_REGION"}
	}
	return rule{dataknobs.Unavailable, networkHint(err)}
}

// networkHint says what to look at where there was no answer.
func networkHint(err error) string {
	var untrusted *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	var noHost *net.DNSError
	switch {
	case errors.As(err, &untrusted):
		return "name who vouches for the server by ca_file=, or say tls_verify=false"
	case errors.As(err, &noTLS), errors.Is(err, http.ErrSchemeMismatch):
		return "the server does not speak TLS: write endpoint=http://…"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "is the server running, and is the endpoint right? curl ENDPOINT tells"
	case errors.As(err, &noHost):
		return "check the endpoint and the region, and whether this machine finds the host: getent hosts " + noHost.Name
	}
	return ""
}

// throttled reports whether the server asked to slow down.
func throttled(err error) bool {
	status, code, _ := details(err)
	switch code {
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "ThrottlingException", "RequestLimitExceeded",
		"BandwidthLimitExceeded", "TooManyRequests", "TooManyRequestsException", "RequestThrottled", "RequestThrottledException":
		return true
	}
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests
}

// isAccessDenied reports whether the keys are good but not for this.
func isAccessDenied(err error) bool {
	_, code, _ := details(err)
	return code == "AccessDenied" || code == "AllAccessDisabled"
}
