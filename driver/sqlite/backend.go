package sqlite

import (
	"cmp"
	"context"
	"strings"
	"time"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/internal/sqlgen"
)

func init() { dataknobs.Register(backend) }

var backend = &dataknobs.Backend{
	Name:    "sqlite",
	Schemes: []string{"sqlite3"},
	Summary: "a table or view of an SQLite database: one file, no server",
	Doc: "The first write makes the file: sqlite:app.db?table=people. sqlite::memory: lives in the memory of this process.\n" +
		"Without table=, the store is the table records if there is one, else the only table of the database; in an\n" +
		"empty database the first write makes records. Where there are several tables, one must be named.\n" +
		"A table that is not there is made by the first write: columns id, fields, meta (JSON) and rev, which the sqlite3\n" +
		"shell reads as well: select id, fields->>'name' from people. With types=name:string,age:int,… its columns are\n" +
		"typed instead. Any other table or view is used as it is: each column is a field, the primary key makes the ID.\n" +
		"The database is put into WAL mode by the first write: scans see one moment and block no writer. One write is made\n" +
		"at a time, also between processes; those that wait longer than busy_timeout are Unavailable.",
	Needs: []string{
		"no server and no library: SQLite is compiled in",
		"a folder that exists, and the right to write in it where records are written",
		"a local file system: WAL mode shares memory between processes; on a network file system say journal=keep",
	},
	Settings: settings{},
	Can: []string{
		"conditions, sort, limit, page, projection, counts and aggregates in the store", "declared indexes",
		"transactions", "atomic batches", "durable writes with group commit", "readers and writers in other processes", "metadata",
		"tables and views of other programs",
	},
	Limits: []dataknobs.Limit{
		{Name: "writers", Text: "one at a time, in all processes; others wait for busy_timeout"},
		{Name: "the database", Text: "281 TB"},
	},
	Features: newFeatures,
	Open:     open,
}

// newFeatures is what a store can do whose table is still to be made.
func newFeatures() *dataknobs.Features {
	d := &Driver{}
	t, err := planTable(defaultTable, &d.o)
	if err != nil {
		return &dataknobs.Features{}
	}
	return d.featuresOf(t)
}

type settings struct {
	Path   string           `option:"path" location:"true" doc:"the database's file, or :memory:"`
	Table  string           `option:"table" doc:"the table or view; records, or the only one there is, if none is named"`
	Create bool             `option:"create" default:"true" doc:"whether the first write makes a file and a table that are not there"`
	Types  []dataknobs.Pair `option:"types" doc:"the columns of a new table: kinds, or date or any, such as name:string,born:date,price:float"`
	sqlgen.Settings
	Revision    string           `option:"revision" doc:"the column that is the revision, or none or hash (of the content, the default for tables of others)"`
	Index       []dataknobs.Path `option:"index" doc:"paths to index, such as city,address.zip; the first write makes the indexes"`
	Synchronous string           `option:"synchronous" enum:"off normal full extra" default:"full" doc:"what an acknowledged write survives: full and extra the loss of power; normal and off the death of the process, but the last writes may go with the power, and with off the database itself"`
	Journal     string           `option:"journal" enum:"wal keep" default:"wal" doc:"whether the first write puts a database into WAL mode, or keeps its mode: without WAL, a scan and a write wait for each other"`
	BusyTimeout time.Duration    `option:"busy_timeout" default:"5s" doc:"how long to wait for another process or an open transaction to let go of the database"`
	CacheSize   dataknobs.Size   `option:"cache_size" default:"8MiB" doc:"how much of the database each connection keeps in memory"`
	Mmap        dataknobs.Size   `option:"mmap" default:"0" doc:"how much of the database is read through the system's memory map instead"`
	PoolMax     int              `option:"pool.max" default:"8" min:"1" doc:"how many connections may read at once"`
	PoolAcquire time.Duration    `option:"pool.acquire_timeout" default:"30s" doc:"how long a read waits for a free connection"`
}

// Options are the settings of a store. Only Path is needed.
type Options struct {
	Path     string           // a file, or :memory:
	Table    string           // "": records, or the only table that there is
	NoCreate bool             // a missing file or table is an error
	Layout   Layout           // of the records in the table
	Types    []dataknobs.Pair // the columns of a new table, name and type, as the option types says
	Key      []string         // the columns that make the ID; nil: the primary key
	Rev      string           // a column, or "none" or "hash"; "": found out
	Index    []dataknobs.Path // paths to index; the first write makes the indexes
	Extra    string           // the JSON column of the other fields, in the columns layout
	Meta     string           // the JSON column of the metadata, in the columns layout
	ReadOnly bool             // a DB refuses every write with Unsupported
	Sync     Synchronous      // when a write is on disk
	KeepMode bool             // do not put the database into WAL mode
	Busy     time.Duration    // how long to wait for the locks of others; 0: 5 s, negative: not at all
	Cache    int64            // bytes for each connection; 0: 8 MiB
	Mmap     int64            // bytes that are read through the system's memory map; 0: none
	Pool     PoolOptions      // of the connections that read
	Warn     func(msg string) // takes what a user should know, from several goroutines at once; nil: dropped
}

// PoolOptions bound the connections that read.
type PoolOptions struct {
	Max            int           // how many there are at most; 0: 8
	AcquireTimeout time.Duration // how long a read waits for one before it is Unavailable; 0: 30 s
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
	o.Busy = cmp.Or(o.Busy, 5*time.Second)
	o.Cache = cmp.Or(o.Cache, 8<<20)
	o.Pool.Max = cmp.Or(o.Pool.Max, 8)
	o.Pool.AcquireTimeout = cmp.Or(o.Pool.AcquireTimeout, 30*time.Second)
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
}

func open(ctx context.Context, c *dataknobs.Config) (dataknobs.Driver, error) {
	if strings.TrimSpace(c.Location) == "" {
		return nil, dataknobs.Errorf(dataknobs.InvalidArgument, "the store names no file").
			WithHint("write sqlite:app.db?table=people, or sqlite::memory:, or give the option path")
	}
	var s settings
	if err := c.Decode(&s); err != nil {
		return nil, err
	}
	d, err := New(ctx, s.options(c.Warn))
	if err != nil {
		return nil, err
	}
	return d, nil
}

// options makes of the settings what New takes.
func (s *settings) options(warn func(string)) Options {
	o := Options{
		Path: s.Path, Table: s.Table, NoCreate: !s.Create, Types: s.Types, Key: s.Key, Rev: s.Revision, Index: s.Index,
		Extra: s.Extra, Meta: s.Meta, ReadOnly: s.ReadOnly,
		Layout:   map[string]Layout{"document": DocumentLayout, "columns": ColumnsLayout}[s.Layout],
		Sync:     map[string]Synchronous{"extra": SyncExtra, "normal": SyncNormal, "off": SyncOff}[s.Synchronous],
		KeepMode: s.Journal == "keep", Busy: s.BusyTimeout, Cache: int64(s.CacheSize), Mmap: int64(s.Mmap),
		Pool: PoolOptions{Max: s.PoolMax, AcquireTimeout: s.PoolAcquire},
		Warn: warn,
	}
	if o.Busy == 0 {
		o.Busy = -1
	}
	return o
}
