// Package s3 is the store in a bucket of Amazon S3 or of a server that speaks
// its protocol.
//
// In the layout of objects each record is one object: a JSON file named after
// the record's ID. Its revision is the object's ETag, and every write is
// conditional on the state that it was decided on, so that no write of two
// racing ones is lost. docs/design/0008 says what stands in the bucket at every
// moment.
//
// Start at [New], or open it by URL:
//
//	dataknobs.Open(ctx, "s3://bucket/prefix?region=eu-west-1", nil)
//
// In the code, start at [Driver] here: key.go and object.go say what stands in
// the bucket, ops.go sends requests; list.go and listing.go list, scan.go and
// ahead.go read, index.go and bodies.go remember; write.go writes one record and
// apply.go many; probe.go finds out what the server can do. files.go and
// segments.go are the other layout, of files that driver/file reads.
package s3

import (
	"context"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dataknobs.dev/dataknobs"
)

// Options are the settings of a store. Bucket must be set; the zero value of
// all others is useful.
type Options struct {
	Bucket string
	// Prefix stands before every key; a / is added where it ends in none.
	Prefix string

	// Region; "": as the environment or the profile says.
	Region string
	// Endpoint is the URL of a server other than Amazon's.
	Endpoint string
	// PathStyle: the bucket is part of the path, not of the host's name.
	PathStyle bool
	// InsecureTLS: the server's certificate is not verified.
	InsecureTLS bool
	// CAFile names a file of certificates, in PEM, that are trusted instead of
	// the system's.
	CAFile string

	// AccessKey, SecretKey and SessionToken; "": the SDK's default chain.
	AccessKey    string
	SecretKey    string
	SessionToken string
	Profile      string // of the shared configuration
	Anonymous    bool   // requests are not signed

	// Parallel bounds the requests under way; 0: 64. Fewer are sent while the
	// server asks to slow down.
	Parallel int
	// Attempts is how often a request is tried; 0: 8.
	Attempts int
	// Timeout bounds the wait for the answer to one attempt; 0: 30 s.
	Timeout time.Duration

	// MultipartThreshold is the size from which a record is uploaded in parts of
	// PartSize; 0: 16 MiB and 8 MiB. S3 takes no part of less than 5 MiB.
	MultipartThreshold int64
	PartSize           int64

	// IndexTTL is for how long a listing of the keys may be used again. 0: every
	// query lists anew, so that it sees what others wrote.
	IndexTTL time.Duration
	// IndexSize bounds the memory of the listing that is kept; 0: 64 MiB.
	IndexSize int64
	// BodyCache bounds the memory of the records that are kept, to be read again
	// only when the listing shows another ETag; 0: 32 MiB, negative: none.
	BodyCache int64

	// MaxRequests and MaxBytes bound what one query may cost; 0: no bound.
	MaxRequests int64
	MaxBytes    int64

	// Tags: scalars of the metadata are object tags too.
	Tags bool
	// UnsafeConditions: on a server without conditional writes, conditions are
	// checked by a read before the write, so that racing writers may overwrite
	// each other.
	UnsafeConditions bool

	StorageClass string // such as STANDARD_IA
	Encryption   string // AES256 or aws:kms
	KMSKey       string // for aws:kms

	// Warn takes what a user should know, such as objects that are passed over.
	// It may be called from several goroutines at once. May be nil.
	Warn func(msg string)
}

func (o *Options) fill() error {
	if o.Bucket == "" {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "no bucket is named").WithHint("write s3://bucket/prefix")
	}
	if o.Prefix != "" && !strings.HasSuffix(o.Prefix, "/") {
		o.Prefix += "/" // else app would reach into app2
	}
	if clean := path.Clean("/" + o.Prefix); o.Prefix != "" && clean+"/" != "/"+o.Prefix {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the prefix %q holds an empty, . or .. part, which servers change", o.Prefix)
	}
	if !utf8.ValidString(o.Prefix) || strings.IndexFunc(o.Prefix, unicode.IsControl) >= 0 {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the prefix %q is not plain text", o.Prefix)
	}
	if len(o.Prefix) > maxKey-readable {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the prefix has %d bytes, which leaves too little of a key for IDs", len(o.Prefix))
	}
	setDefault(&o.Parallel, 64)
	setDefault(&o.Attempts, 8)
	setDefault(&o.Timeout, 30*time.Second)
	setDefault(&o.MultipartThreshold, 16<<20)
	setDefault(&o.PartSize, 8<<20)
	setDefault(&o.IndexSize, 64<<20)
	if o.BodyCache == 0 {
		o.BodyCache = 32 << 20
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return nil
}

func setDefault[T int | int64 | time.Duration](x *T, value T) {
	if *x <= 0 {
		*x = value
	}
}

func (o *Options) storageClass() types.StorageClass { return types.StorageClass(o.StorageClass) }

func (o *Options) encryption() types.ServerSideEncryption {
	return types.ServerSideEncryption(o.Encryption)
}

// Driver is a store. It is safe for concurrent use.
type Driver struct {
	o        Options
	bucket   string
	prefix   string
	features dataknobs.Features
	client   *s3.Client
	idle     func()
	limit    *limiter
	closed   atomic.Bool
	index    index
	bodies   bodies
	warned   warned
	foreign  foreign

	quarantine time.Duration // how long a tombstone belongs to who wrote it
	orphanAge  time.Duration

	probing sync.Mutex // held while finding out what the server can do
	can     abilities  // guarded by probing
	old     leftovers
	parts   atomic.Bool // an upload in parts was made

	otherETags atomic.Bool // the server's ETags are not the MD5 of the content
}

// New returns the store that o describes. No request is sent.
func New(ctx context.Context, o Options) (*Driver, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	d := &Driver{o: o, bucket: o.Bucket, prefix: o.Prefix, limit: newLimiter(o.Parallel), quarantine: quarantine, orphanAge: orphanAge, idle: func() {}}
	d.index.most = o.IndexSize
	d.bodies.most = o.BodyCache
	if err := d.connect(ctx); err != nil {
		return nil, err
	}
	d.features = *newFeatures(o.BodyCache)
	return d, nil
}

// newFeatures is what a store can do that keeps so many bytes of records.
func newFeatures(bodyCache int64) *dataknobs.Features {
	return &dataknobs.Features{
		Filter:   canFilter,
		Sort:     canSort,
		Limit:    true,
		Seek:     true,
		Project:  true,
		Metadata: true,
		Shared:   bodyCache > 0,
		MaxBatch: applyChunk,
	}
}

// String is how the store is called where nobody named it.
func (d *Driver) String() string { return "s3://" + d.bucket + "/" + d.prefix }

// Features implements dataknobs.Driver.
func (d *Driver) Features() *dataknobs.Features { return &d.features }

// Close frees the connections.
func (d *Driver) Close() error {
	if !d.closed.Swap(true) {
		d.idle()
		d.index.drop()
		d.bodies.drop()
	}
	return nil
}

// canFilter says that what the listing shows can be asked of it.
func canFilter(c *dataknobs.Cond) dataknobs.Support {
	if c.Path.IsID() || c.Path.IsRevision() {
		return dataknobs.CanCompile(c)
	}
	return dataknobs.Support{Reason: "a bucket's listing shows only IDs and revisions"}
}

// canSort says that a bucket lists by rising IDs.
func canSort(os []dataknobs.Order) dataknobs.Support {
	if len(os) == 1 && os[0].Path.IsID() && !os[0].Desc {
		return dataknobs.Support{Fidelity: dataknobs.Exact}
	}
	return dataknobs.Support{Reason: "a bucket lists by rising _id only"}
}
