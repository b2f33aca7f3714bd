package sqlite

import (
	"context"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
)

func init() { dataknobs.Register(backend()) }

func backend() *dataknobs.Backend {
	return &dataknobs.Backend{
		Name:    "sqlite",
		Schemes: []string{"sqlite3"},
		Summary: "a table or view of an SQLite database: one file, no server",
		Doc: "Needs a file, which the first write makes, in a folder that exists: sqlite:app.db?table=people. sqlite::memory: lives\n" +
			"in the memory of this process.\n" +
			"Without table=, the store is the table records if there is one, else the only table of the database; in an\n" +
			"empty database the first write makes records. Where there are several tables, one must be named.\n" +
			"A table that is not there is made by the first write: columns id, fields, meta (JSON) and rev, which the sqlite3\n" +
			"shell reads as well: select id, fields->>'name' from people. With types=name:string,age:int,… its columns are\n" +
			"typed instead. Any other table or view is used as it is: each column is a field, the primary key makes the ID.\n" +
			"The database is put into WAL mode by the first write: scans see one moment and block no writer. One write is made\n" +
			"at a time, also between processes; those that wait longer than busy_timeout are Unavailable.",
		Options: options(),
		Can: []string{
			"conditions, sort, limit, page, projection, counts and aggregates in the store", "declared indexes",
			"transactions", "atomic batches", "durable writes with group commit", "readers and writers in other processes", "metadata",
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
		size     = dataknobs.OptionSize
		list     = dataknobs.OptionList
		enum     = dataknobs.OptionEnum
	)
	return []dataknobs.OptionInfo{
		{Name: "table", Kind: text, Doc: "the table or view; records, or the only one there is, if none is named"},
		{Name: "create", Kind: truth, Default: "true", Doc: "whether the first write makes a file and a table that are not there"},
		{Name: "layout", Kind: enum, Enum: []string{"auto", "document", "columns"}, Default: "auto", Doc: "records as JSON, or a column for each field; auto: as the table is, document for a new one unless types is given"},
		{Name: "types", Kind: dataknobs.OptionMap, Doc: "the columns of a new table: kinds, or date or any, such as name:string,born:date,price:float"},
		{Name: "key", Kind: list, Doc: "the columns whose text is the ID, where the table has no primary key or another is wanted"},
		{Name: "revision", Kind: text, Doc: "the column that is the revision, or none or hash (of the content, the default for tables of others)"},
		{Name: "index", Kind: list, Doc: "paths to index, such as city,address.zip; the first write makes the indexes"},
		{Name: "extra", Kind: text, Doc: "columns layout: the JSON column that holds all fields without a column"},
		{Name: "meta", Kind: text, Doc: "columns layout: the JSON column that holds the metadata"},
		{Name: "readonly", Kind: truth, Default: "false", Doc: "refuse every write"},
		{Name: "synchronous", Kind: enum, Enum: []string{"off", "normal", "full", "extra"}, Default: "full", Doc: "what an acknowledged write survives: full and extra the loss of power; normal and off the death of the process, but the last writes may go with the power, and with off the database itself"},
		{Name: "journal", Kind: enum, Enum: []string{"wal", "keep"}, Default: "wal", Doc: "whether the first write puts a database into WAL mode, or keeps its mode: without WAL, a scan and a write wait for each other"},
		{Name: "busy_timeout", Kind: duration, Default: "5s", Doc: "how long to wait for another process or an open transaction to let go of the database"},
		{Name: "cache_size", Kind: size, Default: "8MiB", Doc: "how much of the database each connection keeps in memory"},
		{Name: "mmap", Kind: size, Default: "0", Doc: "how much of the database is read through the system's memory map instead"},
		{Name: "pool.max", Kind: number, Default: "8", Doc: "how many connections may read at once"},
		{Name: "pool.acquire_timeout", Kind: duration, Default: "30s", Doc: "how long a read waits for a free connection"},
	}
}

// Options are the settings of a store. Only Path is needed.
type Options struct {
	Path     string           // a file, or :memory:
	Table    string           // "": records, or the only table that there is
	NoCreate bool             // a missing file or table is an error
	Layout   Layout           //
	Types    []dataknobs.Pair // the columns of a new table, name and type, as the option types says
	Key      []string         // the columns that make the ID; nil: the primary key
	Rev      string           // a column, or "none" or "hash"; "": found out
	Index    []dataknobs.Path // paths to index; the first write makes the indexes
	Extra    string           // the JSON column of the other fields, in the columns layout
	Meta     string           // the JSON column of the metadata, in the columns layout
	ReadOnly bool             //
	Sync     Synchronous      //
	KeepMode bool             // do not put the database into WAL mode
	Busy     time.Duration    // how long to wait for the locks of others; 0: 5 s, negative: not at all
	Cache    int64            // bytes for each connection; 0: 8 MiB
	Mmap     int64            // bytes
	Pool     PoolOptions      //
	Warn     func(msg string) // nil: dropped
}

// PoolOptions bound the connections that read. A zero is the default that "dk
// backends sqlite" shows.
type PoolOptions struct {
	Max            int
	AcquireTimeout time.Duration
}

// Layout says how records lie in the table.
type Layout uint8

// The layouts.
const (
	AutoLayout Layout = iota // as the table is; document for a new one, columns if Types are given
	DocumentLayout
	ColumnsLayout
)

// Synchronous says when a write is on disk. In every mode it survives the death
// of the process.
type Synchronous uint8

// The modes.
const (
	SyncFull   Synchronous = iota // before it is acknowledged
	SyncExtra                     // likewise, and the folder too where there is a journal besides WAL
	SyncNormal                    // at checkpoints: the loss of power may take the last writes, never more
	SyncOff                       // when the operating system likes: the loss of power may damage the database
)

var syncNames = [...]string{"full", "extra", "normal", "off"}

// String returns the mode as SQLite names it.
func (s Synchronous) String() string { return syncNames[s] }

func (o *Options) setDefaults() {
	setDefault(&o.Busy, 5*time.Second)
	setDefault(&o.Cache, 8<<20)
	setDefault(&o.Pool.Max, 8)
	setDefault(&o.Pool.AcquireTimeout, 30*time.Second)
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
}

func setDefault[T comparable](x *T, def T) {
	var zero T
	if *x == zero {
		*x = def
	}
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	o, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	d, err := New(ctx, o)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// optionsOf reads the settings, which have been checked against backend.
func optionsOf(c *dataknobs.Config) (Options, error) {
	o := Options{
		Path: c.Location, Table: c.String("table"), NoCreate: !c.Bool("create"), Types: c.Map("types"), Key: c.List("key"),
		Rev: c.String("revision"), Extra: c.String("extra"), Meta: c.String("meta"), ReadOnly: c.Bool("readonly"),
		KeepMode: c.String("journal") == "keep", Busy: c.Duration("busy_timeout"), Cache: c.Size("cache_size"), Mmap: c.Size("mmap"),
		Pool: PoolOptions{Max: int(c.Int("pool.max")), AcquireTimeout: c.Duration("pool.acquire_timeout")},
		Warn: c.Warn,
	}
	o.Layout = map[string]Layout{"document": DocumentLayout, "columns": ColumnsLayout}[c.String("layout")]
	o.Sync = map[string]Synchronous{"extra": SyncExtra, "normal": SyncNormal, "off": SyncOff}[c.String("synchronous")]
	if o.Busy == 0 {
		o.Busy = -1
	}
	if o.Pool.Max < 1 {
		return o, dataknobs.Errorf(dataknobs.InvalidArgument, "option pool.max: at least one connection is needed")
	}
	for _, text := range c.List("index") {
		p, err := dataknobs.ParsePath(text)
		if err != nil {
			return o, dataknobs.Errorf(dataknobs.InvalidArgument, "option index: %w", err)
		}
		o.Index = append(o.Index, p)
	}
	if strings.TrimSpace(o.Path) == "" {
		return o, dataknobs.Errorf(dataknobs.InvalidArgument, "the store names no file").
			WithHint("write sqlite:app.db?table=people, or sqlite::memory:")
	}
	return o, nil
}
