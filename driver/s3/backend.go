package s3

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/remote"
)

func init() { dataknobs.Register(backend) }

var backend = &dataknobs.Backend{
	Name:    "s3",
	Summary: "records as objects in a bucket of Amazon S3 or a server like it",
	Doc: "s3://bucket/prefix: each record is a JSON object named after its ID. Credentials come from the environment,\n" +
		"a profile, SSO or a role, as with every AWS tool, or from the options. A server of another make is named by\n" +
		"endpoint, such as endpoint=http://127.0.0.1:9000&path_style=true.\n" +
		"s3://bucket/logs/*.csv.gz reads files that others put there; the options from format to hive are about those.",
	Needs: []string{
		"a bucket that exists",
		"to read: s3:ListBucket on the bucket and s3:GetObject on the prefix",
		"to write: s3:PutObject and s3:DeleteObject, and s3:AbortMultipartUpload for large records; s3:PutObjectTagging with tags=true",
		"a server with conditional writes (If-Match, If-None-Match) for Create, Update, Patch and revisions; it is tried, not assumed",
	},
	Settings: settings{},
	Can: []string{
		"conditional writes", "metadata as headers and tags", "_id conditions and order from the listing",
		"parallel reads and writes", "caches of listing and records",
	},
	Limits: []dataknobs.Limit{
		{Name: "a key", Text: fmt.Sprintf("%d bytes, the prefix and the escaped ID together", maxKey)},
		{Name: "a query", Text: "max_requests and max_bytes, where they are set"},
	},
	Features: func() *dataknobs.Features { return newFeatures(32 << 20) },
	Open:     open,
}

type settings struct {
	Bucket             string           `option:"bucket" doc:"the bucket, where it does not stand in the URL"`
	Prefix             string           `option:"prefix" doc:"the prefix of the keys, or the files or pattern of files, where it does not stand in the URL"`
	Region             string           `option:"region" doc:"the bucket's region; else that of the environment or the profile"`
	Endpoint           string           `option:"endpoint" doc:"the URL of a server other than Amazon's"`
	PathStyle          bool             `option:"path_style" doc:"the bucket stands in the path, not in the host's name; the default where the endpoint is an address or localhost"`
	TLSVerify          bool             `option:"tls_verify" default:"true" doc:"verify the server's certificate"`
	CAFile             string           `option:"ca_file" doc:"a file of certificates to trust instead of the system's"`
	AccessKey          string           `option:"access_key" doc:"the access key, with secret_key"`
	SecretKey          dataknobs.Secret `option:"secret_key" doc:"the secret key"`
	SessionToken       dataknobs.Secret `option:"session_token" doc:"the session token of temporary keys"`
	Profile            string           `option:"profile" doc:"a profile of the shared AWS configuration"`
	Anonymous          bool             `option:"anonymous" default:"false" doc:"send requests without a signature"`
	Layout             string           `option:"layout" doc:"objects: one record, one object; files: other people's files, read as they are. By default files where the location is a pattern or ends in .csv, .parquet and the like, else objects"`
	Parallel           int              `option:"parallel" default:"64" min:"1" doc:"how many requests may be under way; fewer are while the server asks to slow down"`
	Attempts           int              `option:"attempts" default:"8" min:"1" doc:"how often a request is tried"`
	Timeout            time.Duration    `option:"timeout" default:"30s" min:"1ms" doc:"how long to wait for the answer to one attempt"`
	MultipartThreshold dataknobs.Size   `option:"multipart_threshold" default:"16MiB" doc:"records from this size on are uploaded in parts"`
	PartSize           dataknobs.Size   `option:"part_size" default:"8MiB" min:"5MiB" doc:"the size of a part"`
	IndexTTL           time.Duration    `option:"index_ttl" default:"0s" min:"0s" doc:"for how long a listing may be used again; 0s: every query sees what others wrote"`
	IndexSize          dataknobs.Size   `option:"index_size" default:"64MiB" doc:"how much memory the listing may take that is kept"`
	BodyCache          dataknobs.Size   `option:"body_cache" default:"32MiB" doc:"how much memory records may take that are kept, to be read again only when they have changed; 0: none"`
	MaxRequests        int64            `option:"max_requests" default:"0" min:"0" doc:"refuse a query that takes more requests; 0: no bound"`
	MaxBytes           dataknobs.Size   `option:"max_bytes" default:"0" doc:"refuse a query that reads more; 0: no bound"`
	Tags               bool             `option:"tags" default:"false" doc:"scalars of the metadata become object tags too, up to ten"`
	UnsafeConditions   bool             `option:"unsafe_conditions" default:"false" doc:"on a server without conditional writes, check by reading first: racing writers may overwrite each other"`
	StorageClass       string           `option:"storage_class" doc:"the storage class of new objects, such as STANDARD_IA"`
	Encryption         string           `option:"encryption" enum:"AES256 aws:kms aws:kms:dsse" doc:"how the server encrypts new objects; else as the bucket says"`
	KMSKey             string           `option:"kms_key" doc:"the key for encryption=aws:kms"`
	remote.Settings
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	o, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	files, err := readsFiles(c, o.Prefix)
	if err != nil {
		return nil, err
	}
	if files {
		return openFiles(ctx, o, c)
	}
	d, err := New(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := d.check(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// optionsOf reads the settings, which have been checked against backend.
func optionsOf(c *dataknobs.Config) (Options, error) {
	var s settings
	if err := c.Decode(&s); err != nil {
		return Options{}, err
	}
	o := Options{
		Region: s.Region, Endpoint: s.Endpoint, PathStyle: s.PathStyle, InsecureTLS: !s.TLSVerify, CAFile: s.CAFile,
		AccessKey: s.AccessKey, SecretKey: string(s.SecretKey), SessionToken: string(s.SessionToken),
		Profile: s.Profile, Anonymous: s.Anonymous, Parallel: s.Parallel, Attempts: s.Attempts, Timeout: s.Timeout,
		MultipartThreshold: int64(s.MultipartThreshold), PartSize: int64(s.PartSize),
		IndexTTL: s.IndexTTL, IndexSize: int64(s.IndexSize), BodyCache: int64(s.BodyCache),
		MaxRequests: s.MaxRequests, MaxBytes: int64(s.MaxBytes), Tags: s.Tags, UnsafeConditions: s.UnsafeConditions,
		StorageClass: s.StorageClass, Encryption: s.Encryption, KMSKey: s.KMSKey, Warn: c.Warn,
	}
	if o.BodyCache == 0 {
		o.BodyCache = -1
	}
	if err := o.readPlace(c.Location, &s); err != nil {
		return o, err
	}
	if err := checkEndpoint(&o, c.IsSet("path_style")); err != nil {
		return o, err
	}
	return o, o.checkKeys()
}

// readPlace finds out which bucket and prefix are meant, by the location or by
// the options.
func (o *Options) readPlace(location string, s *settings) error {
	o.Bucket, o.Prefix, _ = strings.Cut(location, "/")
	for _, x := range []struct {
		name, option string
		place        *string
	}{{"bucket", s.Bucket, &o.Bucket}, {"prefix", s.Prefix, &o.Prefix}} {
		if x.option != "" && *x.place != "" && strings.TrimSuffix(*x.place, "/") != strings.TrimSuffix(x.option, "/") {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "the URL says the %s %s, the option %s says %s", x.name, *x.place, x.name, x.option).
				WithHint("give one of them")
		}
		*x.place = cmp.Or(*x.place, x.option)
	}
	return nil
}

func (o *Options) checkKeys() error {
	switch {
	case (o.AccessKey == "") != (o.SecretKey == ""):
		return dataknobs.Errorf(dataknobs.InvalidArgument, "access_key and secret_key go together: one of them is missing")
	case o.SessionToken != "" && o.AccessKey == "":
		return dataknobs.Errorf(dataknobs.InvalidArgument, "session_token goes with access_key and secret_key")
	case o.Anonymous && o.AccessKey != "":
		return dataknobs.Errorf(dataknobs.InvalidArgument, "anonymous=true and access_key exclude each other")
	}
	return nil
}

// readsFiles reports whether that prefix means other people's files.
func readsFiles(c *dataknobs.Config, prefix string) (bool, error) {
	switch layout := c.String("layout"); layout {
	case "objects":
		return false, nil
	case "files":
		return true, nil
	case "":
	case "segments":
		return false, dataknobs.Errorf(dataknobs.Unsupported, "layout=segments is not there yet").WithHint("layout=objects keeps one record in one object")
	default:
		return false, dataknobs.Errorf(dataknobs.InvalidArgument, "there is no layout %q", layout).WithHint("there are objects and files")
	}
	return looksLikeFiles(prefix) || fileOption(c) != "", nil
}

func looksLikeFiles(prefix string) bool {
	return strings.ContainsAny(prefix, "*?[") || fileName.MatchString(prefix)
}

var fileName = regexp.MustCompile(`(?i)\.(csv|tsv|tab|json|ndjson|jsonl|parquet)(\.(gz|zst|zstd))?$`)

// fileOption is an option about files that was set; "" if none was.
func fileOption(c *dataknobs.Config) string {
	for _, o := range remote.Options() {
		if c.IsSet(o.Name) {
			return o.Name
		}
	}
	return ""
}

// checkEndpoint completes and checks the endpoint. One with an address for a
// host can only be used with the bucket in the path.
func checkEndpoint(o *Options, styled bool) error {
	if o.Endpoint == "" {
		return nil
	}
	if !strings.Contains(o.Endpoint, "://") {
		o.Endpoint = "https://" + o.Endpoint
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the option endpoint is not the URL of a server").
			WithHint("such as endpoint=http://127.0.0.1:9000")
	}
	if u.User != nil {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "the option endpoint must not hold keys").WithHint("use access_key and secret_key")
	}
	if host := u.Hostname(); !styled && (net.ParseIP(host) != nil || host == "localhost") {
		o.PathStyle = true
	}
	return nil
}

// check asks whether the bucket is there. A bucket that may not be listed may
// still be read.
func (d *Driver) check(ctx context.Context) error {
	_, _, err := d.listPage(ctx, nil, d.prefix, "", 1)
	if dataknobs.CodeOf(err) == dataknobs.PermissionDenied && isAccessDenied(err) {
		return nil
	}
	return err
}
