package s3

import (
	"context"
	"net"
	"net/url"
	"regexp"
	"strings"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/remote"
)

func init() { dataknobs.Register(backend) }

var backend = &dataknobs.Backend{
	Name:    "s3",
	Summary: "records as objects in a bucket of Amazon S3 or a server like it",
	Doc: "s3://bucket/prefix: each record is a JSON object named after its ID. Credentials come from the environment,\n" +
		"a profile, SSO or a role, as with every AWS tool, or from the options. A server of another make is named by\n" +
		"endpoint, such as endpoint=http://127.0.0.1:9000&path_style=true.",
	Options: append([]dataknobs.OptionInfo{
		{Name: "region", Doc: "the bucket's region; else that of the environment or the profile"},
		{Name: "endpoint", Doc: "the URL of a server other than Amazon's"},
		{Name: "path_style", Kind: dataknobs.OptionBool, Doc: "the bucket stands in the path, not in the host's name; the default where the endpoint is an address or localhost"},
		{Name: "tls_verify", Kind: dataknobs.OptionBool, Default: "true", Doc: "verify the server's certificate"},
		{Name: "ca_file", Doc: "a file of certificates to trust instead of the system's"},
		{Name: "access_key", Doc: "the access key, with secret_key"},
		{Name: "secret_key", Secret: true, Doc: "the secret key"},
		{Name: "session_token", Secret: true, Doc: "the session token of temporary keys"},
		{Name: "profile", Doc: "a profile of the shared AWS configuration"},
		{Name: "anonymous", Kind: dataknobs.OptionBool, Default: "false", Doc: "send requests without a signature"},
		{Name: "layout", Doc: "objects: one record, one object; files: other people's files, read as they are. By default files where the location is a pattern or ends in .csv, .parquet and the like, else objects"},
		{Name: "parallel", Kind: dataknobs.OptionInt, Default: "64", Doc: "how many requests may be under way; fewer are while the server asks to slow down"},
		{Name: "attempts", Kind: dataknobs.OptionInt, Default: "8", Doc: "how often a request is tried"},
		{Name: "timeout", Kind: dataknobs.OptionDuration, Default: "30s", Doc: "how long to wait for the answer to one attempt"},
		{Name: "multipart_threshold", Kind: dataknobs.OptionSize, Default: "16MiB", Doc: "records from this size on are uploaded in parts"},
		{Name: "part_size", Kind: dataknobs.OptionSize, Default: "8MiB", Doc: "the size of a part; at least 5MiB"},
		{Name: "index_ttl", Kind: dataknobs.OptionDuration, Default: "0s", Doc: "for how long a listing may be used again; 0s: every query sees what others wrote"},
		{Name: "index_size", Kind: dataknobs.OptionSize, Default: "64MiB", Doc: "how much memory the listing may take that is kept"},
		{Name: "body_cache", Kind: dataknobs.OptionSize, Default: "32MiB", Doc: "how much memory records may take that are kept, to be read again only when they have changed; 0: none"},
		{Name: "max_requests", Kind: dataknobs.OptionInt, Default: "0", Doc: "refuse a query that takes more requests; 0: no bound"},
		{Name: "max_bytes", Kind: dataknobs.OptionSize, Default: "0", Doc: "refuse a query that reads more; 0: no bound"},
		{Name: "tags", Kind: dataknobs.OptionBool, Default: "false", Doc: "scalars of the metadata become object tags too, up to ten"},
		{Name: "unsafe_conditions", Kind: dataknobs.OptionBool, Default: "false", Doc: "on a server without conditional writes, check by reading first: racing writers may overwrite each other"},
		{Name: "storage_class", Doc: "the storage class of new objects, such as STANDARD_IA"},
		{Name: "encryption", Kind: dataknobs.OptionEnum, Enum: []string{"AES256", "aws:kms", "aws:kms:dsse"}, Doc: "how the server encrypts new objects; else as the bucket says"},
		{Name: "kms_key", Doc: "the key for encryption=aws:kms"},
	}, remote.Options()...),
	Can: []string{
		"conditional writes", "metadata as headers and tags", "_id conditions and order from the listing",
		"parallel reads and writes", "caches of listing and records",
	},
	Open: open,
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	o, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	files, err := readsFiles(c)
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
	o := Options{
		Region: c.String("region"), Endpoint: c.String("endpoint"), PathStyle: c.Bool("path_style"),
		InsecureTLS: !c.Bool("tls_verify"), CAFile: c.String("ca_file"),
		AccessKey: c.String("access_key"), SecretKey: c.String("secret_key"), SessionToken: c.String("session_token"),
		Profile: c.String("profile"), Anonymous: c.Bool("anonymous"),
		Parallel: int(c.Int("parallel")), Attempts: int(c.Int("attempts")), Timeout: c.Duration("timeout"),
		MultipartThreshold: c.Size("multipart_threshold"), PartSize: c.Size("part_size"),
		IndexTTL: c.Duration("index_ttl"), IndexSize: c.Size("index_size"), BodyCache: c.Size("body_cache"),
		MaxRequests: c.Int("max_requests"), MaxBytes: c.Size("max_bytes"),
		Tags: c.Bool("tags"), UnsafeConditions: c.Bool("unsafe_conditions"),
		StorageClass: c.String("storage_class"), Encryption: c.String("encryption"), KMSKey: c.String("kms_key"),
		Warn: c.Warn,
	}
	if o.BodyCache == 0 {
		o.BodyCache = -1
	}
	o.Bucket, o.Prefix, _ = strings.Cut(c.Location, "/")
	if err := checkEndpoint(&o, c.IsSet("path_style")); err != nil {
		return o, err
	}
	for name, n := range map[string]int64{"parallel": int64(o.Parallel), "attempts": int64(o.Attempts), "timeout": int64(o.Timeout), "index_ttl": int64(o.IndexTTL) + 1, "max_requests": o.MaxRequests + 1} {
		if n < 1 {
			return o, dataknobs.Errorf(dataknobs.InvalidArgument, "the option %s is too small", name)
		}
	}
	switch {
	case o.PartSize < 5<<20:
		return o, dataknobs.Errorf(dataknobs.InvalidArgument, "the option part_size must be at least 5MiB")
	case (o.AccessKey == "") != (o.SecretKey == ""):
		return o, dataknobs.Errorf(dataknobs.InvalidArgument, "access_key and secret_key go together: one of them is missing")
	case o.SessionToken != "" && o.AccessKey == "":
		return o, dataknobs.Errorf(dataknobs.InvalidArgument, "session_token goes with access_key and secret_key")
	case o.Anonymous && o.AccessKey != "":
		return o, dataknobs.Errorf(dataknobs.InvalidArgument, "anonymous=true and access_key exclude each other")
	}
	return o, nil
}

// readsFiles reports whether the location means other people's files.
func readsFiles(c *dataknobs.Config) (bool, error) {
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
	_, key, _ := strings.Cut(c.Location, "/")
	return strings.ContainsAny(key, "*?[") || fileName.MatchString(key) || fileOption(c) != "", nil
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
