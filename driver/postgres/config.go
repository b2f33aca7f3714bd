package postgres

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"dataknobs.dev/dataknobs"
)

// Options are the settings of a store. Table is required.
type Options struct {
	// Conn are the connection's settings by libpq's names: host, port, dbname,
	// user, password, sslmode, … What is not here comes from the environment,
	// the password file and the service file.
	Conn map[string]string
	// Pool, if not nil, is used instead of one made of Conn. It is not closed.
	Pool *pgxpool.Pool

	Schema, Table string
	NoCreate      bool             // a missing table is an error
	Layout        Layout           // of the records in the table
	Types         []dataknobs.Pair // the columns of a new table: kinds or SQL types
	Key           []string         // the columns that make the ID; nil: the primary key
	Rev           string           // a column, or "none", "hash" or "system"; "": found out
	Index         []dataknobs.Path // paths to index, in the document layout
	Extra, Meta   string           // jsonb columns, in the columns layout
	RefuseNumeric bool             // a numeric that is neither int nor float is an error, not a string
	ReadOnly      bool             // a DB refuses every write with Unsupported
	Warn          func(msg string) // takes what a user should know, from several goroutines at once; nil: dropped
	Limits        Limits           // of what is taken of the server
	Pooler        Pooler           // what stands before it
}

// Layout says how records lie in the table.
type Layout uint8

// The layouts.
const (
	AutoLayout Layout = iota // as the table is; document for a new one, columns if Types are given
	DocumentLayout
	ColumnsLayout
)

// Pooler says what stands between this program and the server.
type Pooler uint8

// The poolers.
const (
	SessionPooler     Pooler = iota // nothing, or one that keeps a session for each connection
	TransactionPooler               // one that gives out the server for a transaction at a time
)

// Limits bound what a store takes of its server. A zero is no bound, or the
// default that "dk backends postgres" shows.
type Limits struct {
	StatementTimeout, LockTimeout        time.Duration
	MaxConns, MinConns                   int
	MaxIdle, MaxLifetime, AcquireTimeout time.Duration
}

// Format prints no more than what the options are of: they hold a password.
func (o Options) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "settings of the table %s", o.Table) }

// connNames are the options that libpq knows by the same name.
var connNames = func() []string {
	var names []string
	for _, o := range dataknobs.OptionsOf(connection{}) {
		names = append(names, o.Name)
	}
	return names
}()

// optionsOf reads the settings, which have been checked against backend.
func optionsOf(c *dataknobs.Config) (Options, error) {
	var s settings
	if err := c.Decode(&s); err != nil {
		return Options{}, err
	}
	o := Options{
		Schema: s.Schema, Table: s.Table, NoCreate: !s.Create, Types: s.Types, Key: s.Key, Rev: s.Revision, Index: s.Index,
		Extra: s.Extra, Meta: s.Meta, RefuseNumeric: s.Numeric == "refuse", ReadOnly: s.ReadOnly, Warn: c.Warn,
		Layout: map[string]Layout{"document": DocumentLayout, "columns": ColumnsLayout}[s.Layout],
		Pooler: map[string]Pooler{"transaction": TransactionPooler}[s.Pooler],
		Limits: Limits{
			StatementTimeout: s.StatementTimeout, LockTimeout: s.LockTimeout, MaxConns: s.PoolMax, MinConns: s.PoolMin,
			MaxIdle: s.PoolMaxIdle, MaxLifetime: s.PoolMaxLifetime, AcquireTimeout: s.PoolAcquire,
		},
	}
	var err error
	o.Conn, err = connOf(c)
	return o, err
}

// connOf returns the connection's settings: what the location says, and the
// options, which may say the same again but nothing else.
func connOf(c *dataknobs.Config) (map[string]string, error) {
	conn, err := parseLocation(c.Location)
	if err != nil {
		return nil, err
	}
	for _, name := range connNames {
		if !c.IsSet(name) {
			continue
		}
		text := c.String(name)
		if there, ok := conn[name]; ok && there != text { // not shown: it may be a password
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the URL and the option %s differ about the %s", name, name).
				WithHint("give the %s in one of them", name)
		}
		conn[name] = text
	}
	return conn, nil
}

// parseLocation reads user:password@host:port,host:port/database. Its percent
// escapes are decoded already, so the password goes up to the last @, and what
// begins with / and holds another one is the folder of a socket.
func parseLocation(place string) (map[string]string, error) {
	conn := map[string]string{}
	if strings.ContainsAny(place, "= ") && !strings.Contains(place, "@") {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the location is not of the form user@host:port/database").
			WithHint("single settings stand after the question mark: postgres:?host=db&dbname=app&table=people")
	}
	rest := place
	if at := strings.LastIndexByte(place, '@'); at >= 0 {
		user, password, has := strings.Cut(place[:at], ":")
		rest = place[at+1:]
		set(conn, "user", user)
		if has {
			conn["password"] = password
		}
	}
	hosts, dbname := rest, ""
	if slash := strings.LastIndexByte(rest, '/'); slash >= 0 {
		hosts, dbname = rest[:slash], rest[slash+1:]
	}
	set(conn, "dbname", dbname)
	if strings.HasPrefix(hosts, "/") {
		conn["host"] = hosts
		return conn, nil
	}
	var names, ports []string
	for h := range strings.SplitSeq(hosts, ",") {
		name, port, err := splitHost(h)
		if err != nil {
			return nil, err
		}
		names, ports = append(names, name), append(ports, port)
	}
	set(conn, "host", strings.Trim(strings.Join(names, ","), ","))
	if strings.Trim(strings.Join(ports, ""), ",") != "" {
		conn["port"] = strings.Join(ports, ",")
	}
	return conn, nil
}

func set(m map[string]string, name, text string) {
	if text != "" {
		m[name] = text
	}
}

// splitHost reads host, host:port, [v6] or [v6]:port.
func splitHost(h string) (name, port string, err error) {
	if strings.HasPrefix(h, "[") {
		end := strings.IndexByte(h, ']')
		if end < 0 {
			return "", "", dataknobs.Errorf(dataknobs.InvalidArgument, "an address in the store's location has no closing ]")
		}
		return h[1:end], strings.TrimPrefix(h[end+1:], ":"), nil
	}
	name, port, _ = strings.Cut(h, ":")
	if port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil { // not shown: it may be a mislaid password
			return "", "", dataknobs.Errorf(dataknobs.InvalidArgument, "a port in the store's location is no number").
				WithHint("a password stands before an @: postgres://user:password@host:5432/database")
		}
	}
	return name, port, nil
}

// tableName takes sales.orders and "a.b".orders apart.
func tableName(schema, table string) (string, string, error) {
	var parts []string
	for rest := table; ; {
		var part string
		if strings.HasPrefix(rest, `"`) {
			end := closingQuote(rest)
			if end < 0 {
				return "", "", dataknobs.Errorf(dataknobs.InvalidArgument, "the table name %s has no closing quote", table)
			}
			part, rest = strings.ReplaceAll(rest[1:end], `""`, `"`), rest[end+1:]
		} else {
			i := strings.IndexByte(rest, '.')
			if i < 0 {
				i = len(rest)
			}
			part, rest = rest[:i], rest[i:]
		}
		parts = append(parts, part)
		if rest == "" {
			break
		}
		if rest[0] != '.' {
			return "", "", dataknobs.Errorf(dataknobs.InvalidArgument, "the table name %s is not of the form schema.table", table)
		}
		rest = rest[1:]
	}
	switch {
	case len(parts) > 2 || slices.Contains(parts, ""):
		return "", "", dataknobs.Errorf(dataknobs.InvalidArgument, "the table name %q is not of the form schema.table", table)
	case len(parts) == 2 && schema != "" && schema != parts[0]:
		return "", "", dataknobs.Errorf(dataknobs.InvalidArgument, "the table is %s, but the option schema is %s", table, schema)
	case len(parts) == 2:
		return parts[0], parts[1], nil
	}
	return schema, parts[0], nil
}

// closingQuote returns where the quote at the start of s is closed; -1: nowhere.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		return i
	}
	return -1
}

// dsn writes settings as libpq reads them, each in quotes.
func dsn(conn map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(keys(conn)) {
		text := conn[name]
		if name == "connect_timeout" {
			text = seconds(text)
		}
		text = strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `'`, `\'`)
		fmt.Fprintf(&b, "%s='%s' ", name, text)
	}
	return b.String()
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// seconds turns 5s into 5, as libpq counts.
func seconds(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return text
	}
	return strconv.FormatInt(max(int64((d+time.Second-1)/time.Second), 1), 10)
}

// poolConfig turns the settings into pgx's.
func (o *Options) poolConfig() (*pgxpool.Config, error) {
	for name := range o.Conn {
		if !slices.Contains(connNames, name) && name != "options" && name != "search_path" {
			return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "there is no connection setting %q", name)
		}
	}
	c, err := pgxpool.ParseConfig(dsn(o.Conn))
	if err != nil {
		return nil, configError(err)
	}
	l := o.Limits
	if err := l.check(); err != nil {
		return nil, err
	}
	c.ConnConfig.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		f := pgproto3.NewFrontend(r, w)
		f.SetMaxBodyLen(maxMessage)
		return f
	}
	c.MaxConns = int32(cmp.Or(l.MaxConns, 10))
	c.MinConns = int32(l.MinConns)
	c.MaxConnIdleTime = cmp.Or(l.MaxIdle, 30*time.Minute)
	c.MaxConnLifetime = cmp.Or(l.MaxLifetime, time.Hour)
	return c, o.runtime(c)
}

// maxMessage bounds what one message of the server may take of memory: a row,
// however wide. It is four times what the largest record has.
const maxMessage = 4 * dataknobs.MaxRecordBytes

// maxPool is more connections than any server has.
const maxPool = 100_000

func (l *Limits) check() error {
	most := cmp.Or(l.MaxConns, 10)
	if most < 1 || most > maxPool || l.MinConns < 0 || l.MinConns > most {
		return dataknobs.Errorf(dataknobs.InvalidArgument, "pool.max is %d and pool.min %d", most, l.MinConns).
			WithHint("pool.max is at least 1, pool.min from 0 to pool.max")
	}
	for name, d := range map[string]time.Duration{
		"statement_timeout": l.StatementTimeout, "lock_timeout": l.LockTimeout, "pool.max_idle": l.MaxIdle,
		"pool.max_lifetime": l.MaxLifetime, "pool.acquire_timeout": l.AcquireTimeout,
	} {
		if d < 0 {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "%s is %v; it must not be negative", name, d)
		}
	}
	return nil
}

// runtime sets what every session starts with.
func (o *Options) runtime(c *pgxpool.Config) error {
	p := c.ConnConfig.RuntimeParams
	if p["application_name"] == "" {
		p["application_name"] = "dataknobs"
	}
	// The texts of dates and times do not depend on the server's settings.
	p["datestyle"], p["timezone"] = "ISO, YMD", "UTC"
	p["client_encoding"] = "UTF8"
	timeouts := map[string]time.Duration{"statement_timeout": o.Limits.StatementTimeout, "lock_timeout": o.Limits.LockTimeout}
	for name, d := range timeouts {
		if d == 0 {
			continue
		}
		if o.Pooler == TransactionPooler {
			return dataknobs.Errorf(dataknobs.InvalidArgument, "%s cannot be set through a pooler of transactions", name).
				WithHint("set it for the role: ALTER ROLE … SET %s = '%dms'", name, d.Milliseconds())
		}
		p[name] = strconv.FormatInt(max(d.Milliseconds(), 1), 10)
	}
	if o.Pooler == SessionPooler {
		p["intervalstyle"], p["extra_float_digits"] = "iso_8601", "1"
	}
	return nil
}
