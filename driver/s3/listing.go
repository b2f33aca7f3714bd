package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"dataknobs.dev/dataknobs"
)

// A listingDecoder reads the answer to one ListObjectsV2 in place of the SDK's
// decoder, which takes about as long for a page as the server does; errors are
// left to that one.
type listingDecoder struct {
	page []listed
	more bool
	sdk  middleware.DeserializeMiddleware
}

const sdkDecoder = "OperationDeserializer"

// options puts the decoder into one call.
func (l *listingDecoder) options(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) (err error) {
		l.sdk, err = stack.Deserialize.Swap(sdkDecoder, l)
		return err
	})
}

// ID implements middleware.DeserializeMiddleware.
func (l *listingDecoder) ID() string { return sdkDecoder }

// HandleDeserialize implements middleware.DeserializeMiddleware.
func (l *listingDecoder) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || resp.StatusCode/100 != 2 {
		return l.sdk.HandleDeserialize(ctx, in, answered(func() (middleware.DeserializeOutput, middleware.Metadata, error) { return out, metadata, err }))
	}
	body, err := readListing(resp)
	if err == nil {
		err = l.decode(body)
	}
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	out.Result = &s3.ListObjectsV2Output{}
	return out, metadata, nil
}

// answered is a handler that was called already.
type answered func() (middleware.DeserializeOutput, middleware.Metadata, error)

// HandleDeserialize implements middleware.DeserializeHandler.
func (a answered) HandleDeserialize(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return a()
}

// maxListing bounds the bytes of a page: a thousand of the longest keys, every
// byte escaped, and what stands around them.
const maxListing = 16 << 20

func readListing(resp *smithyhttp.Response) ([]byte, error) {
	defer resp.Body.Close()
	var body bytes.Buffer
	if n := resp.ContentLength; n > 0 && n < maxListing {
		body.Grow(int(n) + bytes.MinRead)
	}
	n, err := body.ReadFrom(io.LimitReader(resp.Body, maxListing))
	switch {
	case err == nil && n < maxListing:
		return body.Bytes(), nil
	case err == nil:
		return nil, dataknobs.Errorf(dataknobs.DataLoss, "the answer to a listing has more than %d bytes", int64(maxListing))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, cutListing{}
	}
	return nil, err
}

// cutListing is a listing that ends early. Its request is repeated.
type cutListing struct{}

func (cutListing) Error() string         { return "the answer to a listing ended early" }
func (cutListing) Is(err error) bool     { return err == errCut }
func (cutListing) ConnectionError() bool { return true } // by which the SDK knows what to repeat

// decode reads a ListBucketResult. An answer without its end is none.
func (l *listingDecoder) decode(body []byte) error {
	l.page, l.more = nil, false
	x := scanner{rest: body}
	var o *listed
	escaped, whole := false, false
	for x.next() {
		switch x.name {
		case "ListBucketResult":
			whole = x.ends
		case "Contents":
			if o != nil && o.key == "" {
				return errListing
			}
			if o = nil; !x.ends {
				l.page = append(l.page, listed{})
				o = &l.page[len(l.page)-1]
			}
		}
		if !x.ends {
			continue
		}
		switch {
		case o != nil && x.depth == 2:
			if err := o.set(x.name, x.text); err != nil {
				return err
			}
		case x.depth != 1:
		case x.name == "IsTruncated":
			l.more = string(x.text) == "true"
		case x.name == "EncodingType":
			escaped = string(x.text) == "url"
		}
	}
	if x.bad || !whole {
		return cutListing{}
	}
	if !escaped {
		return nil
	}
	return unescapeKeys(l.page)
}

var errListing = dataknobs.Errorf(dataknobs.DataLoss, "the answer to a listing cannot be read: it holds an object without a name")

// unescapeKeys undoes encoding-type=url, of which the answer says only somewhere
// that it applies.
func unescapeKeys(page []listed) error {
	for i := range page {
		if !strings.ContainsAny(page[i].key, "%+") {
			continue
		}
		key, err := url.QueryUnescape(page[i].key)
		if err != nil {
			return err
		}
		page[i].key = key
	}
	return nil
}

// set takes one element of Contents.
func (o *listed) set(name string, text []byte) (err error) {
	switch name {
	case "Key":
		o.key, err = unescapeXML(text)
	case "ETag":
		o.etag, err = unescapeXML(text)
		o.etag = strings.Trim(o.etag, `"`)
	case "Size":
		o.size, err = strconv.ParseInt(string(text), 10, 64)
	case "LastModified":
		o.modified, err = time.Parse(time.RFC3339, string(text))
	}
	return err
}

// A scanner goes from tag to tag of the XML that servers send: elements and
// text. Attributes are passed over, and so is what stands before the root.
type scanner struct {
	rest  []byte
	name  string
	ends  bool   // the tag is an end
	text  []byte // what stands before an end, as written
	depth int    // how many elements are open around the tag's element
	open  int
	bad   bool // it ended within a tag
}

func (x *scanner) next() bool {
	for {
		if x.ends {
			x.open--
		}
		x.ends = false
		at := bytes.IndexByte(x.rest, '<')
		if at < 0 {
			return false
		}
		text := x.rest[:at]
		end := bytes.IndexByte(x.rest[at:], '>')
		if end < 0 {
			x.bad = true
			return false
		}
		tag := x.rest[at+1 : at+end]
		x.rest = x.rest[at+end+1:]
		if len(tag) == 0 || tag[0] == '?' || tag[0] == '!' {
			continue
		}
		return x.take(tag, text)
	}
}

// take makes a tag the current one. An empty element is an end without a start.
func (x *scanner) take(tag, text []byte) bool {
	switch {
	case tag[0] == '/':
		x.name, x.ends, x.text = nameOf(tag[1:]), true, text
		x.depth = x.open - 1
	case tag[len(tag)-1] == '/':
		x.name, x.ends, x.text = nameOf(tag[:len(tag)-1]), true, nil
		x.depth = x.open
		x.open++
	default:
		x.name, x.depth = nameOf(tag), x.open
		x.open++
	}
	return true
}

// nameOf returns the name in a tag, without a prefix or attributes.
func nameOf(tag []byte) string {
	if i := bytes.IndexAny(tag, " \t\r\n"); i >= 0 {
		tag = tag[:i]
	}
	if i := bytes.IndexByte(tag, ':'); i >= 0 {
		tag = tag[i+1:]
	}
	switch string(tag) { // without an allocation
	case "Contents":
		return "Contents"
	case "Key":
		return "Key"
	case "ETag":
		return "ETag"
	case "Size":
		return "Size"
	case "LastModified":
		return "LastModified"
	}
	return string(tag)
}

// entities are those that XML has without declaration.
var entities = strings.NewReplacer("&quot;", `"`, "&amp;", "&", "&lt;", "<", "&gt;", ">", "&apos;", "'")

// unescapeXML returns a text as it was before it was put into XML.
func unescapeXML(text []byte) (string, error) {
	s := string(text)
	if !strings.Contains(s, "&") {
		return s, nil
	}
	if !known(s) {
		return "", errNoXML
	}
	if strings.Contains(s, "&#") {
		return unescapeNumbers(s)
	}
	return entities.Replace(s), nil
}

// known reports whether every entity in s is one that need not be declared.
func known(s string) bool {
	for _, rest := range strings.Split(s, "&")[1:] {
		name, _, _ := strings.Cut(rest, ";")
		if !strings.HasPrefix(name, "#") && !strings.Contains(" quot amp lt gt apos ", " "+name+" ") {
			return false
		}
	}
	return true
}

var errNoXML = dataknobs.Errorf(dataknobs.DataLoss, "the answer to a listing holds a name that is no XML")

func unescapeNumbers(s string) (string, error) {
	var out strings.Builder
	for {
		at := strings.Index(s, "&#")
		if at < 0 {
			out.WriteString(entities.Replace(s))
			return out.String(), nil
		}
		out.WriteString(entities.Replace(s[:at]))
		number, rest, ok := strings.Cut(s[at+2:], ";")
		base := 10
		if hex, is := strings.CutPrefix(number, "x"); is {
			number, base = hex, 16
		}
		n, err := strconv.ParseUint(number, base, 21)
		if !ok || err != nil {
			return "", errNoXML
		}
		out.WriteRune(rune(n))
		s = rest
	}
}
