package postgres

import (
	"context"
	"fmt"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

func init() { dataknobs.Register(backend) }

var backend = &dataknobs.Backend{
	Name:    "postgres",
	Schemes: []string{"postgresql"},
	Summary: "a table or view of a PostgreSQL database",
	Doc: "postgres://user@host:5432/database?table=people. What the URL and the options leave out comes\n" +
		"from the environment (PGHOST, PGUSER, PGPASSWORD, PGSERVICE, …), the password file and the service file, as in psql.\n" +
		"Several hosts stand with commas between them; a Unix socket is ?host=/run/postgresql.\n" +
		"A table that is not there is made by the first write: columns id, fields, meta (jsonb) and rev, which psql reads\n" +
		"as well: select fields->>'name' from people. With types=name:string,age:int,… its columns are typed instead.\n" +
		"Any other table, view, partitioned, foreign or materialized one is used as it is: each column is a field, the primary\n" +
		"key makes the ID.\n" +
		"Stores of equal connection settings share one pool of connections. Behind PgBouncer in transaction mode,\n" +
		"say pooler=transaction.",
	Needs: []string{
		"a PostgreSQL server, 13 or later, whose encoding is UTF-8",
		"to read: CONNECT on the database, USAGE on the schema and SELECT on the table",
		"to write: INSERT, UPDATE and DELETE on the table, and CREATE on the schema where the first write makes it",
		"up to pool.max connections of the server's max_connections",
	},
	Settings: settings{},
	Can: []string{
		"conditions, sort, limit, page, projection, counts and aggregates in the store", "declared indexes",
		"transactions", "atomic batches", "bulk loading through COPY", "durable writes", "many writers", "metadata",
		"tables and views of other programs",
	},
	Limits: []dataknobs.Limit{
		{Name: "columns of a typed table", Text: "1600, the server's bound"},
		{Name: "connections", Text: fmt.Sprintf("pool.max, at most %d", maxPool)},
	},
	Features: newFeatures,
	Open:     open,
}

// newFeatures is what a store can do whose table is still to be made.
func newFeatures() *dataknobs.Features {
	d := &Driver{asked: &sqlgen.Table{Dialect: sqlgen.Postgres, Name: "records"}}
	s, err := d.stateOf(nil)
	if err != nil {
		return &dataknobs.Features{}
	}
	return &s.features
}

type settings struct {
	Table  string           `option:"table" required:"true" doc:"the table or view, such as people or sales.orders (a dot inside a name: \"a.b\")"`
	Schema string           `option:"schema" doc:"the schema it is in; else the search path finds it"`
	Create bool             `option:"create" default:"true" doc:"whether the first write makes a table that is not there"`
	Types  []dataknobs.Pair `option:"types" doc:"the columns of a new table: kinds or SQL types, such as name:string,price:numeric(12\\,2)"`
	sqlgen.Settings
	Revision         string           `option:"revision" doc:"the column that is the revision, or none, hash or system (xmin and ctid, the default for tables)"`
	Index            []dataknobs.Path `option:"index" doc:"paths to index in a table of the document layout, such as city,address.zip"`
	Numeric          string           `option:"numeric" enum:"text refuse" default:"text" doc:"what a numeric is that neither an int nor a float can say exactly: its text, or an error"`
	StatementTimeout time.Duration    `option:"statement_timeout" min:"0s" doc:"how long the server may work on one statement"`
	LockTimeout      time.Duration    `option:"lock_timeout" min:"0s" doc:"how long the server may wait for a lock"`
	PoolMax          int              `option:"pool.max" default:"10" min:"1" max:"100000" doc:"how many connections there may be"`
	PoolMin          int              `option:"pool.min" default:"0" min:"0" doc:"how many connections are kept open"`
	PoolMaxIdle      time.Duration    `option:"pool.max_idle" default:"30m" min:"0s" doc:"after how long an unused connection is closed"`
	PoolMaxLifetime  time.Duration    `option:"pool.max_lifetime" default:"1h" min:"0s" doc:"after how long a connection is replaced by a new one"`
	PoolAcquire      time.Duration    `option:"pool.acquire_timeout" default:"30s" min:"0s" doc:"how long to wait for a free connection"`
	Pooler           string           `option:"pooler" enum:"session transaction" default:"session" doc:"transaction: the server is behind PgBouncer or the like in transaction mode, so nothing is kept in a session"`
	connection
}

// A connection has the settings that libpq knows by the same names.
type connection struct {
	Host            string           `option:"host" doc:"the hosts, or the folder of the Unix socket; instead of in the URL"`
	Port            []int64          `option:"port" min:"1" max:"65535" doc:"the port, or one for each host; instead of in the URL"`
	DBName          string           `option:"dbname" doc:"the database; instead of in the URL"`
	User            string           `option:"user" doc:"the user; instead of in the URL"`
	Password        dataknobs.Secret `option:"password" doc:"the password; better in the password file or PGPASSWORD"`
	PassFile        string           `option:"passfile" doc:"the password file, ~/.pgpass by default"`
	Service         string           `option:"service" doc:"a section of the service file"`
	ServiceFile     string           `option:"servicefile" doc:"the service file, ~/.pg_service.conf by default"`
	ApplicationName string           `option:"application_name" doc:"how the server lists the connections; dataknobs by default"`
	ConnectTimeout  string           `option:"connect_timeout" doc:"how long to try to connect, such as 5s or, as in psql, a number of seconds"`
	TargetAttrs     string           `option:"target_session_attrs" enum:"any read-write read-only primary standby prefer-standby" doc:"which of several hosts will do"`
	SSLMode         string           `option:"sslmode" enum:"disable allow prefer require verify-ca verify-full" doc:"whether to use TLS, and what to verify; prefer by default"`
	SSLRootCert     string           `option:"sslrootcert" doc:"the file of trusted certificates, or system"`
	SSLCert         string           `option:"sslcert" doc:"the file of the client's certificate"`
	SSLKey          string           `option:"sslkey" doc:"the file of the client's key"`
	SSLPassword     dataknobs.Secret `option:"sslpassword" doc:"the password of the client's key"`
	ChannelBinding  string           `option:"channel_binding" enum:"disable prefer require" doc:"whether the password exchange is bound to the TLS connection"`
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	if c.String("table") == "" {
		conn, err := connOf(c)
		if err != nil {
			return nil, err
		}
		return nil, noTable(ctx, &Options{Conn: conn, Schema: c.String("schema"), Warn: c.Warn})
	}
	o, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	return New(ctx, o)
}
