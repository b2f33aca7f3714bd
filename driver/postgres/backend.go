package postgres

import (
	"context"
	"strings"

	"dataknobs.dev/dataknobs"
)

func init() { dataknobs.Register(backend()) }

func backend() *dataknobs.Backend {
	return &dataknobs.Backend{
		Name:    "postgres",
		Schemes: []string{"postgresql"},
		Summary: "a table or view of a PostgreSQL database",
		Doc: "Needs a PostgreSQL server, 13 or later: postgres://user@host:5432/database?table=people. What the URL leaves out comes\n" +
			"from the environment (PGHOST, PGUSER, PGPASSWORD, PGSERVICE, …), the password file and the service file, as in psql.\n" +
			"Several hosts stand with commas between them; a Unix socket is ?host=/run/postgresql.\n" +
			"A table that is not there is made by the first write: columns id, fields, meta (jsonb) and rev, which psql reads\n" +
			"as well: select fields->>'name' from people. With types=name:string,age:int,… its columns are typed instead.\n" +
			"Any other table, view, partitioned, foreign or materialized one is used as it is: each column is a field, the primary\n" +
			"key makes the ID.\n" +
			"Stores of equal connection settings share one pool of connections. Behind PgBouncer in transaction mode,\n" +
			"say pooler=transaction.",
		Options: options(),
		Can: []string{
			"conditions, sort, limit, page, projection, counts and aggregates in the store", "declared indexes",
			"transactions", "atomic batches", "bulk loading through COPY", "durable writes", "many writers", "metadata",
			"tables and views of other programs",
		},
		Open: open,
	}
}

func options() []dataknobs.OptionInfo {
	const (
		text     = dataknobs.OptionString
		number   = dataknobs.OptionInt
		truth    = dataknobs.OptionBool
		duration = dataknobs.OptionDuration
		list     = dataknobs.OptionList
		enum     = dataknobs.OptionEnum
	)
	return []dataknobs.OptionInfo{
		{Name: "table", Kind: text, Doc: "the table or view, such as people or sales.orders (a dot inside a name: \"a.b\")"},
		{Name: "schema", Kind: text, Doc: "the schema it is in; else the search path finds it"},
		{Name: "create", Kind: truth, Default: "true", Doc: "whether the first write makes a table that is not there"},
		{Name: "layout", Kind: enum, Enum: []string{"auto", "document", "columns"}, Default: "auto", Doc: "records as JSON, or a column for each field; auto: as the table is, document for a new one unless types is given"},
		{Name: "types", Kind: dataknobs.OptionMap, Doc: "the columns of a new table: kinds or SQL types, such as name:string,price:numeric(12\\,2)"},
		{Name: "key", Kind: list, Doc: "the columns whose text is the ID, where the table has no primary key or another is wanted"},
		{Name: "revision", Kind: text, Doc: "the column that is the revision, or none, hash or system (xmin and ctid, the default for tables)"},
		{Name: "index", Kind: list, Doc: "paths to index in a table of the document layout, such as city,address.zip"},
		{Name: "extra", Kind: text, Doc: "columns layout: the jsonb column that holds all fields without a column"},
		{Name: "meta", Kind: text, Doc: "columns layout: the jsonb column that holds the metadata"},
		{Name: "numeric", Kind: enum, Enum: []string{"text", "refuse"}, Default: "text", Doc: "what a numeric is that neither an int nor a float can say exactly: its text, or an error"},
		{Name: "readonly", Kind: truth, Default: "false", Doc: "refuse every write"},
		{Name: "statement_timeout", Kind: duration, Doc: "how long the server may work on one statement"},
		{Name: "lock_timeout", Kind: duration, Doc: "how long the server may wait for a lock"},
		{Name: "pool.max", Kind: number, Default: "10", Doc: "how many connections there may be"},
		{Name: "pool.min", Kind: number, Default: "0", Doc: "how many connections are kept open"},
		{Name: "pool.max_idle", Kind: duration, Default: "30m", Doc: "after how long an unused connection is closed"},
		{Name: "pool.max_lifetime", Kind: duration, Default: "1h", Doc: "after how long a connection is replaced by a new one"},
		{Name: "pool.acquire_timeout", Kind: duration, Default: "30s", Doc: "how long to wait for a free connection"},
		{Name: "pooler", Kind: enum, Enum: []string{"session", "transaction"}, Default: "session", Doc: "transaction: the server is behind PgBouncer or the like in transaction mode, so nothing is kept in a session"},
		{Name: "host", Kind: text, Doc: "the hosts, or the folder of the Unix socket; instead of in the URL"},
		{Name: "port", Kind: text, Doc: "the ports; instead of in the URL"},
		{Name: "dbname", Kind: text, Doc: "the database; instead of in the URL"},
		{Name: "user", Kind: text, Doc: "the user; instead of in the URL"},
		{Name: "password", Kind: text, Secret: true, Doc: "the password; better in the password file or PGPASSWORD"},
		{Name: "passfile", Kind: text, Doc: "the password file, ~/.pgpass by default"},
		{Name: "service", Kind: text, Doc: "a section of the service file"},
		{Name: "servicefile", Kind: text, Doc: "the service file, ~/.pg_service.conf by default"},
		{Name: "application_name", Kind: text, Doc: "how the server lists the connections; dataknobs by default"},
		{Name: "connect_timeout", Kind: text, Doc: "how long to try to connect, such as 5s or, as in psql, a number of seconds"},
		{Name: "target_session_attrs", Kind: enum, Enum: strings.Fields("any read-write read-only primary standby prefer-standby"), Doc: "which of several hosts will do"},
		{Name: "sslmode", Kind: enum, Enum: strings.Fields("disable allow prefer require verify-ca verify-full"), Doc: "whether to use TLS, and what to verify; prefer by default"},
		{Name: "sslrootcert", Kind: text, Doc: "the file of trusted certificates, or system"},
		{Name: "sslcert", Kind: text, Doc: "the file of the client's certificate"},
		{Name: "sslkey", Kind: text, Doc: "the file of the client's key"},
		{Name: "sslpassword", Kind: text, Secret: true, Doc: "the password of the client's key"},
		{Name: "channel_binding", Kind: enum, Enum: []string{"disable", "prefer", "require"}, Doc: "whether the password exchange is bound to the TLS connection"},
	}
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	o, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	return New(ctx, o)
}
