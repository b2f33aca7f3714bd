// Package dataknobs stores records and asks for them in one way, wherever they
// are: in memory, in CSV, JSON and Parquet files, in databases. The same
// records and the same query have the same answer on every store; what a store
// cannot do by itself is done here, above it.
//
// # Opening a store
//
// [Open] takes a path or a URL and returns a [DB]. The program imports the
// drivers that it wants to have:
//
//	import (
//		"dataknobs.dev/dataknobs"
//		_ "dataknobs.dev/dataknobs/driver/file"
//	)
//
//	db, err := dataknobs.Open(ctx, "people.csv?key=email", nil)
//	defer db.Close()
//
// [New] makes a DB of a driver that was built by its own constructor, without
// the registry. [Backends] lists what Open knows.
//
// # Records
//
// A [Record] is an ID, ordered [Fields], metadata beside them, and a revision that
// changes with every write. A [Value] is null, a bool, an int, a float, a string,
// bytes, a time, an array or an object; what is written is read back with the
// same kind. A [Collection] is the same store with Go structs for records.
//
// # Queries
//
// [DB.Query] takes a text, [DB.Run] a [Query], which [Parse], the builder
// ([Where], [Select], [P]) and JSON make alike:
//
//	for rec, err := range db.Query(ctx, "carrier = ? and dep_delay > 120 order by dep_delay desc limit 10", "AA") {
//
// Results stream. Leaving the loop stops the work and frees what it holds; an
// error comes last. [DB.Count], [DB.First], [DB.All] and [DB.Page] are the short
// ways; SELECT with count, sum, avg, min, max and GROUP BY yields a record for
// each group. Conditions follow SQL's logic of three values: a field that is null or
// absent is selected by IS NULL and by nothing else. [DB.Explain] says what the
// store does of a query and what is left to be done here.
//
// # Writes
//
// [DB.Create], [DB.Put], [DB.Update], [DB.Patch] and [DB.Delete] write one record,
// on the condition of [IfRevision] if asked. When they return, the record is as
// durable as the store makes it, and every later read sees it. The batch calls
// ([DB.CreateMany] and the like) and [DB.PatchWhere], [DB.DeleteWhere] write
// many; [DB.Load] writes a stream of any length.
//
// # Doing many things at once
//
// There are no asynchronous variants: in Go every call can be made so. A DB is
// safe for concurrent use, so start goroutines, and give them one context to
// stop them all:
//
//	ctx, cancel := context.WithCancelCause(ctx)
//	defer cancel(nil)
//	var wg sync.WaitGroup
//	for _, id := range ids {
//		wg.Go(func() {
//			if err := work(ctx, db, id); err != nil {
//				cancel(err) // the others return soon
//			}
//		})
//	}
//	wg.Wait()
//	return context.Cause(ctx)
//
// Or use golang.org/x/sync/errgroup, whose SetLimit bounds how many run. Every call that
// may block takes a context first and returns promptly, with an error for which
// errors.Is(err, context.Canceled) or context.DeadlineExceeded holds, once the
// context is done. A write that is cancelled may have been applied or not, but
// never in part. For many writes of one kind there is nothing to build: batch
// calls hand them to the store in parts that run at once within a bound
// ([Parallel], Options.Workers) where the store gains from that, and keep
// writes of the same record in their order.
//
// # Errors
//
// Every error is an [*Error] with a [Code], or one of a context. Codes are errors
// themselves:
//
//	if errors.Is(err, dataknobs.NotFound) {
//
// Batches fail with a [*BatchError], loads with a [*LoadError]: both name every
// record that failed, and everything else was done.
//
// # Where to go on
//
// Drivers are written against [Driver]; package drivertest checks them. The
// contract that all of them keep is docs/semantics.md, the query language is
// docs/query.md, and docs/guide.md shows all of it in ten minutes.
//
// # Reading the code
//
// What a call of the DB does is in db.go (one record), batch_run.go and load.go
// (many), where.go (all that a condition selects) and stream.go (queries); every
// call of a driver goes through calls.go. Around these stand
//
//   - records: value.go and record.go; their forms as text and bytes in encode.go,
//     taggedjson.go and hash.go; Go structs in typed.go;
//   - the query language: query.go and expr.go are what lex.go, the parse files,
//     builder.go and queryjson_read.go make, and what format.go and queryjson.go write;
//   - the planner: plan.go gives the driver what it can do, split.go the part of a
//     condition that it can; what is left is done by match.go, order.go with
//     topk.go and spill.go, groupby.go, project.go; explain.go tells of it, and
//     inexact.go goes on where a store had to stop;
//   - writes: write.go checks and completes them, next.go says what they make of a record;
//   - transactions: transact.go runs them, over session.go; tx.go is what drivers implement;
//   - opening: open.go, config.go and settings.go read locations and options, for
//     the backends of backend.go and abilities.go.
package dataknobs
