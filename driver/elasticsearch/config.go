package elasticsearch

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

func init() { dataknobs.Register(backend) }

var backend = &dataknobs.Backend{
	Name:    "elasticsearch",
	Schemes: []string{"es", "es+http", "es+https"},
	Summary: "an index of an Elasticsearch server, version 8 or 9",
	Doc: "es+https://user:password@host:9200/people names the index people; several nodes stand with commas between them.\n" +
		"es: is es+https:. With the options cloud_id or hosts the location is the index alone, or nothing.\n" +
		"The first write makes the index. Indexes that others made are read as they are, and not written.\n" +
		"Searches see this handle's earlier writes: it refreshes the index once before the next search.",
	Needs: []string{
		"an Elasticsearch server of version 8 or 9, reachable over HTTP",
		"to read: the index privileges read and view_index_metadata",
		"to write: write as well, and manage, which covers making the index, its mapping and its refresh",
	},
	Settings: settings{},
	Can: []string{
		"every condition, sort, page, projection and group in the store", "parallel batches", "conditional writes", "metadata",
		"scans of one moment", "indexes made by others, read only", "full-text search of text fields (MATCH)",
	},
	Limits: []dataknobs.Limit{
		{Name: "one request", Text: "max_body; the server takes 100 MB unless told otherwise"},
		{Name: "fields with a mapping of their own", Text: "max_fields (the server's 1000); further ones share a field"},
	},
	Features: func() *dataknobs.Features { return (&Driver{}).ownFeatures() },
	Open:     open,
}

type settings struct {
	Hosts           []string         `option:"hosts" doc:"the nodes, such as host:9200 or http://host:9200, where they do not stand in the URL"`
	Index           string           `option:"index" doc:"the index, or an alias of one, where it does not stand in the URL"`
	User            string           `option:"user" doc:"the user's name, where it does not stand in the URL"`
	Password        dataknobs.Secret `option:"password" doc:"the user's password"`
	APIKey          dataknobs.Secret `option:"api_key" doc:"an API key, encoded as the server hands it out"`
	Token           dataknobs.Secret `option:"token" doc:"a service account's token"`
	CloudID         string           `option:"cloud_id" doc:"the ID of a deployment in Elastic's cloud, in place of nodes"`
	CAFile          string           `option:"ca_file" doc:"a PEM file with the certificates to trust"`
	Create          string           `option:"create" enum:"write always never" default:"write" doc:"what a missing index is: made by the first write, made now, or an error"`
	ReadOnly        bool             `option:"readonly" default:"false" doc:"refuse every write"`
	Refresh         string           `option:"refresh" enum:"auto false wait_for true" default:"auto" doc:"when searches see a write: auto refreshes once before this handle's next search"`
	Types           []dataknobs.Pair `option:"types" doc:"kinds of fields that a new index maps naturally for other readers, such as title:text,born:time"`
	Analyzer        string           `option:"analyzer" doc:"the analyzer of the fields of type text"`
	Shards          int              `option:"shards" min:"0" doc:"the number of shards of a new index"`
	Replicas        int              `option:"replicas" min:"0" doc:"the number of replicas of a new index"`
	RefreshInterval string           `option:"refresh_interval" doc:"how often the server refreshes a new index by itself, such as 5s or -1"`
	MaxFields       int              `option:"max_fields" min:"0" doc:"how many fields the mapping of a new index may have (the server's 1,000); further paths share one field"`
	Settings        []dataknobs.Pair `option:"settings" doc:"more settings of a new index, such as index.lifecycle.name:logs"`
	SettingsFile    string           `option:"settings_file" doc:"a JSON file with settings of a new index, such as analyzers"`
	Aliases         []string         `option:"aliases" doc:"further names for a new index"`
	Compression     string           `option:"compression" enum:"none gzip" default:"none" doc:"how requests and answers are compressed on their way"`
	Connections     int              `option:"connections" default:"0" min:"0" doc:"the most connections to one node; 0: no bound"`
	Discover        time.Duration    `option:"discover" default:"0s" doc:"how often to ask the cluster for its nodes; 0s: never"`
	Timeout         time.Duration    `option:"timeout" default:"1m" doc:"how long one request may take; 0s: no bound"`
	Retries         int              `option:"retries" default:"6" min:"0" doc:"how often a request is tried again that a busy or missing server failed"`
	KeepAlive       time.Duration    `option:"keep_alive" default:"5m" doc:"how long the server keeps a scan's view of the index between two pages"`
	BulkBytes       dataknobs.Size   `option:"bulk_bytes" default:"5MiB" doc:"about how large a request with many writes is"`
	MaxBody         dataknobs.Size   `option:"max_body" default:"90MiB" doc:"the largest request that the server takes"`
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
	var s settings
	if err := c.Decode(&s); err != nil {
		return nil, err
	}
	o := &Options{
		User: s.User, Password: string(s.Password), APIKey: string(s.APIKey), Token: string(s.Token), CAFile: s.CAFile,
		ReadOnly: s.ReadOnly, Shards: s.Shards, Replicas: -1, RefreshInterval: s.RefreshInterval,
		Aliases: s.Aliases, Analyzer: s.Analyzer, MaxFields: s.MaxFields,
		Compress: s.Compression == "gzip", Connections: s.Connections, Discover: s.Discover,
		Timeout: s.Timeout, Retries: s.Retries, KeepAlive: s.KeepAlive, BulkBytes: int(s.BulkBytes), MaxBody: int(s.MaxBody),
		Create: map[string]CreateMode{"always": CreateAlways, "never": CreateNever}[s.Create],
	}
	if s.Refresh != "auto" {
		o.Refresh = RefreshMode(s.Refresh)
	}
	if c.IsSet("replicas") {
		o.Replicas = s.Replicas
	}
	if o.Retries == 0 {
		o.Retries = -1
	}
	if err := o.readSettings(&s); err != nil {
		return nil, err
	}
	if err := o.readTypes(s.Types); err != nil {
		return nil, err
	}
	return o, o.readPlace(c, &s)
}

func (o *Options) readTypes(types []dataknobs.Pair) error {
	for _, p := range types {
		if k, ok := dataknobs.ParseKind(p.Value); p.Value != "text" && (!ok || k == dataknobs.KindNull) {
			return optionError("option types: there is no kind %q for %s", p.Value, p.Name).
				WithHint("the kinds are bool, int, float, time, string, bytes, array and object, and text for full-text search")
		}
		if o.Types == nil {
			o.Types = map[string]string{}
		}
		o.Types[p.Name] = p.Value
	}
	return nil
}

// readSettings reads what a new index is made with.
func (o *Options) readSettings(s *settings) error {
	o.Settings = map[string]any{}
	if file := s.SettingsFile; file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return optionError("option settings_file: %w", err)
		}
		if err := json.Unmarshal(text, &o.Settings); err != nil {
			return optionError("option settings_file: %s is not a JSON object of settings", file)
		}
	}
	for _, p := range s.Settings {
		o.Settings[p.Name] = p.Value
	}
	return nil
}

// readPlace finds out which index on which servers is meant. The location is
// [user[:password]@]host[:port][,host[:port]…][/prefix]/index, or the index
// alone where the options say the servers. A password may hold any character,
// since it ends at the last @ before the hosts.
func (o *Options) readPlace(c *dataknobs.Config, s *settings) error {
	place := c.Location
	if s.CloudID != "" || len(s.Hosts) > 0 {
		place = strings.TrimPrefix(place, "/")
	}
	servers, index, ok := cutLast(place, "/")
	if !ok && s.CloudID == "" && len(s.Hosts) == 0 {
		servers, index = index, ""
	}
	if err := o.readIndex(index, s.Index); err != nil {
		return err
	}
	if err := o.readLogin(&servers); err != nil {
		return err
	}
	return o.readServers(servers, c, s)
}

func (o *Options) readIndex(url, option string) error {
	switch {
	case url != "" && option != "" && url != option:
		return optionError("the URL says the index %s, the option index says %s", url, option).WithHint("give one of them")
	case url == "" && option == "":
		return optionError("no index is named").WithHint("write es+http://host:9200/INDEX, or give the options hosts and index")
	}
	o.Index = cmp.Or(url, option)
	return nil
}

// readLogin takes the user off the servers of a location.
func (o *Options) readLogin(servers *string) error {
	login, hosts, ok := cutLast(*servers, "@")
	if ok {
		user, password, has := strings.Cut(login, ":")
		if o.User != "" && o.User != user || has && o.Password != "" && o.Password != password {
			return optionError("the user of the URL and the options user and password differ").WithHint("give them in one place")
		}
		o.User, *servers = user, hosts
		if has {
			o.Password = password
		}
	}
	return o.checkLogin()
}

func (o *Options) readServers(servers string, c *dataknobs.Config, s *settings) error {
	if servers == "" && len(s.Hosts) == 0 && s.CloudID == "" {
		return optionError("no server is named").WithHint("write es+http://host:9200/INDEX, or give the options hosts and index")
	}
	if s.CloudID != "" {
		if servers != "" || len(s.Hosts) > 0 {
			return optionError("the option cloud_id and other servers exclude each other")
		}
		return o.readCloud(s.CloudID)
	}
	scheme := "https"
	if c.Scheme == "es+http" {
		scheme = "http"
	}
	var err error
	if servers != "" {
		if o.Nodes, err = nodesOf(strings.Split(servers, ","), scheme); err != nil || len(s.Hosts) == 0 {
			return err
		}
	}
	hosts, err := nodesOf(s.Hosts, scheme)
	if err == nil && o.Nodes != nil && !slices.EqualFunc(o.Nodes, hosts, func(a, b *url.URL) bool { return *a == *b }) {
		return optionError("the URL and the option hosts name other servers").WithHint("give one of them")
	}
	o.Nodes = hosts
	return err
}

// nodesOf reads host, host:port and http://host:port.
func nodesOf(hosts []string, scheme string) ([]*url.URL, error) {
	var nodes []*url.URL
	for _, host := range hosts {
		host = strings.TrimSpace(host)
		if !strings.HasPrefix(host, "http://") && !strings.HasPrefix(host, "https://") {
			host = scheme + "://" + host
		}
		u, err := url.Parse(strings.TrimSuffix(host, "/"))
		if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || strings.Contains(u.Path, "//") {
			return nil, optionError("a server is named that is none").WithHint("a server is host:9200 or http://host:9200")
		}
		if u.Port() == "" {
			u.Host = net.JoinHostPort(u.Hostname(), "9200")
		}
		nodes = append(nodes, u)
	}
	return nodes, nil
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
func (o *Options) readCloud(id string) error {
	_, code, _ := strings.Cut(id, ":")
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
	return nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}
