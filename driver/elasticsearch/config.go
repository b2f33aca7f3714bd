package elasticsearch

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"strings"

	"dataknobs.dev/dataknobs"
)

func init() { dataknobs.Register(backend()) }

func backend() *dataknobs.Backend {
	return &dataknobs.Backend{
		Name:    "elasticsearch",
		Schemes: []string{"es", "es+http", "es+https"},
		Summary: "an index of an Elasticsearch server, version 8 or 9",
		Doc: "es+https://user:password@host:9200/people names the index people; several nodes stand with commas between them.\n" +
			"es: is es+https:. With the option cloud_id the location is the index alone.\n" +
			"The first write makes the index. Indexes that others made are read as they are, and not written.\n" +
			"Searches see this handle's earlier writes: it refreshes the index once before the next search.",
		Options: []dataknobs.OptionInfo{
			{Name: "user", Kind: dataknobs.OptionString, Doc: "the user's name, where it does not stand in the URL"},
			{Name: "password", Kind: dataknobs.OptionString, Secret: true, Doc: "the user's password"},
			{Name: "api_key", Kind: dataknobs.OptionString, Secret: true, Doc: "an API key, encoded as the server hands it out"},
			{Name: "token", Kind: dataknobs.OptionString, Secret: true, Doc: "a service account's token"},
			{Name: "cloud_id", Kind: dataknobs.OptionString, Doc: "the ID of a deployment in Elastic's cloud, in place of nodes"},
			{Name: "ca_file", Kind: dataknobs.OptionString, Doc: "a PEM file with the certificates to trust"},
			{Name: "create", Kind: dataknobs.OptionEnum, Enum: []string{"write", "always", "never"}, Default: "write", Doc: "what a missing index is: made by the first write, made now, or an error"},
			{Name: "readonly", Kind: dataknobs.OptionBool, Default: "false", Doc: "refuse every write"},
			{Name: "refresh", Kind: dataknobs.OptionEnum, Enum: []string{"auto", "false", "wait_for", "true"}, Default: "auto", Doc: "when searches see a write: auto refreshes once before this handle's next search"},
			{Name: "types", Kind: dataknobs.OptionMap, Doc: "kinds of fields that a new index maps naturally for other readers, such as title:text,born:time"},
			{Name: "analyzer", Kind: dataknobs.OptionString, Doc: "the analyzer of the fields of type text"},
			{Name: "shards", Kind: dataknobs.OptionInt, Doc: "the number of shards of a new index"},
			{Name: "replicas", Kind: dataknobs.OptionInt, Doc: "the number of replicas of a new index"},
			{Name: "refresh_interval", Kind: dataknobs.OptionString, Doc: "how often the server refreshes a new index by itself, such as 5s or -1"},
			{Name: "max_fields", Kind: dataknobs.OptionInt, Doc: "how many fields the mapping of a new index may have (the server's 1,000); further paths share one field"},
			{Name: "settings", Kind: dataknobs.OptionMap, Doc: "more settings of a new index, such as index.lifecycle.name:logs"},
			{Name: "settings_file", Kind: dataknobs.OptionString, Doc: "a JSON file with settings of a new index, such as analyzers"},
			{Name: "aliases", Kind: dataknobs.OptionList, Doc: "further names for a new index"},
			{Name: "compression", Kind: dataknobs.OptionEnum, Enum: []string{"none", "gzip"}, Default: "none", Doc: "how requests and answers are compressed on their way"},
			{Name: "connections", Kind: dataknobs.OptionInt, Default: "0", Doc: "the most connections to one node; 0: no bound"},
			{Name: "discover", Kind: dataknobs.OptionDuration, Default: "0s", Doc: "how often to ask the cluster for its nodes; 0s: never"},
			{Name: "timeout", Kind: dataknobs.OptionDuration, Default: "1m", Doc: "how long one request may take; 0s: no bound"},
			{Name: "retries", Kind: dataknobs.OptionInt, Default: "6", Doc: "how often a request is tried again that a busy or missing server failed"},
			{Name: "keep_alive", Kind: dataknobs.OptionDuration, Default: "5m", Doc: "how long the server keeps a scan's view of the index between two pages"},
			{Name: "bulk_bytes", Kind: dataknobs.OptionSize, Default: "5MiB", Doc: "about how large a request with many writes is"},
			{Name: "max_body", Kind: dataknobs.OptionSize, Default: "90MiB", Doc: "the largest request that the server takes"},
		},
		Can: []string{
			"every condition, sort, page, projection and group in the store", "parallel batches", "conditional writes", "metadata",
			"scans of one moment", "indexes made by others, read only",
		},
		Open: open,
	}
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	o, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	return New(ctx, *o)
}

func optionError(format string, args ...any) *dataknobs.Error {
	return dataknobs.Errorf(dataknobs.InvalidArgument, format, args...)
}

// optionsOf reads the settings, which have been checked against backend.
func optionsOf(c *dataknobs.Config) (*Options, error) {
	o := &Options{
		User: c.String("user"), Password: c.String("password"), APIKey: c.String("api_key"), Token: c.String("token"), CAFile: c.String("ca_file"),
		ReadOnly: c.Bool("readonly"), Shards: int(c.Int("shards")), Replicas: -1, RefreshInterval: c.String("refresh_interval"),
		Aliases: c.List("aliases"), Analyzer: c.String("analyzer"), MaxFields: int(c.Int("max_fields")),
		Compress: c.String("compression") == "gzip", Connections: int(c.Int("connections")), Discover: c.Duration("discover"),
		Timeout: c.Duration("timeout"), Retries: int(c.Int("retries")), KeepAlive: c.Duration("keep_alive"),
		BulkBytes: int(c.Size("bulk_bytes")), MaxBody: int(c.Size("max_body")),
	}
	o.Create = map[string]CreateMode{"always": CreateAlways, "never": CreateNever}[c.String("create")]
	if r := c.String("refresh"); r != "auto" {
		o.Refresh = RefreshMode(r)
	}
	if c.IsSet("replicas") {
		o.Replicas = int(c.Int("replicas"))
	}
	if o.Retries == 0 {
		o.Retries = -1
	}
	for _, n := range []string{"shards", "replicas", "max_fields", "connections", "retries"} {
		if c.Int(n) < 0 {
			return nil, optionError("the option %s must not be negative", n)
		}
	}
	if err := o.readSettings(c); err != nil {
		return nil, err
	}
	for _, p := range c.Map("types") {
		if k, ok := dataknobs.ParseKind(p.Value); p.Value != "text" && (!ok || k == dataknobs.KindNull) {
			return nil, optionError("option types: there is no kind %q for %s", p.Value, p.Name).
				WithHint("the kinds are bool, int, float, time, string, bytes, array and object, and text for full-text search")
		}
		if o.Types == nil {
			o.Types = map[string]string{}
		}
		o.Types[p.Name] = p.Value
	}
	if c.IsSet("cloud_id") {
		return o, o.readCloud(c)
	}
	return o, o.readLocation(c)
}

// readSettings reads what a new index is made with.
func (o *Options) readSettings(c *dataknobs.Config) error {
	o.Settings = map[string]any{}
	if file := c.String("settings_file"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return optionError("option settings_file: %w", err)
		}
		if err := json.Unmarshal(text, &o.Settings); err != nil {
			return optionError("option settings_file: %s is not a JSON object of settings", file)
		}
	}
	for _, p := range c.Map("settings") {
		o.Settings[p.Name] = p.Value
	}
	return nil
}

// readLocation reads [user[:password]@]host[:port][,host[:port]…][/prefix]/index.
// A password may hold any character, since it ends at the last @ before the hosts.
func (o *Options) readLocation(c *dataknobs.Config) error {
	servers, index, ok := cutLast(c.Location, "/")
	if !ok || servers == "" || index == "" {
		return optionError("the location names no server and index").WithHint("write es+http://host:9200/INDEX")
	}
	o.Index = index
	login, hosts, ok := cutLast(servers, "@")
	if !ok {
		hosts = servers
	} else {
		if o.User != "" || o.Password != "" {
			return optionError("the user is named in the URL and in the options")
		}
		o.User, o.Password, _ = strings.Cut(login, ":")
	}
	if err := o.checkLogin(); err != nil {
		return err
	}
	scheme := "https"
	if c.Scheme == "es+http" {
		scheme = "http"
	}
	for host := range strings.SplitSeq(hosts, ",") {
		u, err := url.Parse(scheme + "://" + strings.TrimSpace(host))
		if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || strings.Contains(u.Path, "//") {
			return optionError("the location names a server that is none")
		}
		if u.Port() == "" {
			u.Host = net.JoinHostPort(u.Hostname(), "9200")
		}
		o.Nodes = append(o.Nodes, u)
	}
	return nil
}

func (o *Options) checkLogin() error {
	ways := 0
	for _, s := range []string{o.User, o.APIKey, o.Token} {
		if s != "" {
			ways++
		}
	}
	if ways > 1 {
		return optionError("there are several credentials: take one of user, api_key and token")
	}
	return nil
}

// readCloud reads name:base64 of host$deployment$kibana.
func (o *Options) readCloud(c *dataknobs.Config) error {
	_, code, _ := strings.Cut(c.String("cloud_id"), ":")
	raw, err := base64.StdEncoding.DecodeString(code)
	host, rest, ok := strings.Cut(string(raw), "$")
	deployment, _, _ := strings.Cut(rest, "$")
	if err != nil || !ok || host == "" || deployment == "" {
		return optionError("the option cloud_id is not the ID of a deployment")
	}
	name, port, ok := strings.Cut(host, ":")
	if !ok {
		port = "443"
	}
	deployment, _, _ = strings.Cut(deployment, ":")
	o.Nodes = []*url.URL{{Scheme: "https", Host: net.JoinHostPort(deployment+"."+name, port)}}
	o.Index = strings.TrimPrefix(c.Location, "/")
	return o.checkLogin()
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}
