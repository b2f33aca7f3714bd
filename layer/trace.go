package layer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"dataknobs.dev/dataknobs"
)

// TraceSettings are the settings of [Trace] that are texts.
type TraceSettings struct {
	System     string        `option:"system" doc:"db.system.name: the kind of store, such as postgresql; the backend's name if not said"`
	Collection string        `option:"collection" doc:"db.collection.name: what the store is called; its name in the configuration if not said"`
	Slow       time.Duration `option:"slow" default:"1s" min:"0s" doc:"log a warning about calls in which the store took longer"`
	IDs        bool          `option:"ids" default:"false" doc:"whether spans and the log may say which records"`
}

// TraceOptions are the settings of [Trace].
type TraceOptions struct {
	TraceSettings
	Tracers trace.TracerProvider // nil: the global one
	Meters  metric.MeterProvider // nil: the global one
	Logger  *slog.Logger         // nil: slog.Default()
}

type traceEnabled struct {
	TraceSettings
	Enabled bool `option:"enabled" default:"true" doc:"false: no such layer"`
}

func wrapTrace(d dataknobs.Driver, s traceEnabled, env Env) (dataknobs.Driver, error) {
	if !s.Enabled {
		return d, nil
	}
	if s.System == "" {
		s.System = systemName(env.System)
	}
	if s.Collection == "" {
		s.Collection = env.Name
	}
	return Trace(d, TraceOptions{TraceSettings: s.TraceSettings, Tracers: env.Tracers, Meters: env.Meters, Logger: env.Logger}), nil
}

// systemName is db.system.name of a backend: the conventions call some of them
// otherwise.
func systemName(backend string) string {
	if backend == "postgres" {
		return "postgresql"
	}
	return backend
}

// Trace returns d with a layer that makes, for every call of the store, a span
// and metrics as the OpenTelemetry semantic conventions for databases ask
// (version 1.39.0), and logs those in which the store was slow.
//
//   - Spans: db.system.name, db.collection.name, db.operation.name,
//     db.query.summary, db.query.text, db.operation.batch.size,
//     db.response.returned_rows, error.type. A span of a query ends when the caller has
//     ranged over it.
//   - Metrics: db.client.operation.duration in seconds, without the time that the
//     caller took over records, and db.client.response.returned_rows.
//   - Log: "slow call" with the same attributes.
//
// Conditions stand there with ? in place of each value. IDs of records are left
// out unless IDs says otherwise.
func Trace(d dataknobs.Driver, o TraceOptions) dataknobs.Driver {
	if o.Tracers == nil {
		o.Tracers = otel.GetTracerProvider()
	}
	if o.Meters == nil {
		o.Meters = otel.GetMeterProvider()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Slow == 0 {
		o.Slow = time.Second
	}
	if o.System == "" {
		o.System = "other_sql"
	}
	t := &tracing{o: o, tracer: o.Tracers.Tracer(scope, trace.WithSchemaURL(schemaURL))}
	t.instruments(o.Meters.Meter(scope, metric.WithSchemaURL(schemaURL)))
	return newDriver(d, t)
}

const (
	scope     = "dataknobs.dev/dataknobs/layer"
	schemaURL = "https://opentelemetry.io/schemas/1.39.0"
)

// The attributes of the conventions that are used here.
const (
	attrSystem     = attribute.Key("db.system.name")
	attrCollection = attribute.Key("db.collection.name")
	attrOperation  = attribute.Key("db.operation.name")
	attrBatch      = attribute.Key("db.operation.batch.size")
	attrSummary    = attribute.Key("db.query.summary")
	attrText       = attribute.Key("db.query.text")
	attrRows       = attribute.Key("db.response.returned_rows")
	attrError      = attribute.Key("error.type")
	attrIDs        = attribute.Key("dataknobs.ids")
)

type tracing struct {
	o        TraceOptions
	tracer   trace.Tracer
	duration metric.Float64Histogram
	rows     metric.Int64Histogram
}

// instruments makes the histograms. A failure is told to OpenTelemetry's own
// error handler, and the histogram then does nothing.
func (t *tracing) instruments(m metric.Meter) {
	var err error
	t.duration, err = m.Float64Histogram("db.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of database client operations."),
		metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
	if err != nil {
		otel.Handle(err)
	}
	t.rows, err = m.Int64Histogram("db.client.response.returned_rows", metric.WithUnit("{row}"),
		metric.WithDescription("The actual number of records returned by the database operation."),
		metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000))
	if err != nil {
		otel.Handle(err)
	}
}

func (t *tracing) around(ctx context.Context, c *call, next func(context.Context) error) error {
	switch c.method {
	case fieldNames, kinds, epoch, explain: // asked beside a query, and mostly known already
		return next(ctx)
	}
	s := t.begin(ctx, c)
	defer s.end() // also where the receiver panics
	s.err = next(s.ctx)
	return s.err
}

// A traced call is under way.
type traced struct {
	t       *tracing
	ctx     context.Context
	c       *call
	span    trace.Span
	attrs   []attribute.KeyValue // of span and metrics: few different ones
	start   time.Time
	handed  time.Time     // since when the receiver has a record
	outside time.Duration // what the receiver took
	err     error
}

func (t *tracing) begin(ctx context.Context, c *call) *traced {
	op := operation(c)
	summary := op
	s := &traced{t: t, c: c, start: time.Now(), attrs: []attribute.KeyValue{attrSystem.String(t.o.System), attrOperation.String(op)}}
	if t.o.Collection != "" {
		s.attrs = append(s.attrs, attrCollection.String(t.o.Collection))
		summary += " " + t.o.Collection
	}
	s.attrs = append(s.attrs, attrSummary.String(summary))
	s.ctx, s.span = t.tracer.Start(ctx, summary, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(s.attrs...))
	if c.method == begin {
		s.ctx = ctx // the span is not around what follows
	}
	c.handing = func(*dataknobs.Record) error { s.handed = time.Now(); return nil }
	c.handed = func() { s.outside += time.Since(s.handed) }
	return s
}

// details are attributes of the span and the log alone.
func (s *traced) details() []attribute.KeyValue {
	var as []attribute.KeyValue
	if text := queryText(s.c); text != "" {
		as = append(as, attrText.String(text))
	}
	if s.c.method == apply && len(s.c.batch.Writes) > 1 {
		as = append(as, attrBatch.Int(len(s.c.batch.Writes)))
	}
	if s.t.o.IDs {
		if ids := idsOf(s.c); len(ids) > 0 {
			as = append(as, attrIDs.StringSlice(ids))
		}
	}
	if s.c.isSequence() {
		as = append(as, attrRows.Int64(s.c.rows))
	}
	return as
}

func (s *traced) end() {
	took := time.Since(s.start) - s.outside
	kind, failed := errorType(s.c, s.err)
	if kind != "" {
		s.attrs = append(s.attrs, attrError.String(kind))
	}
	slow := took > s.t.o.Slow
	if s.span.IsRecording() || slow {
		details := s.details()
		if kind != "" {
			details = append(details, attrError.String(kind))
		}
		s.span.SetAttributes(details...)
		if slow {
			s.log(took, details)
		}
	}
	if failed {
		s.span.SetStatus(codes.Error, kind)
	}
	s.span.End()
	set := metric.WithAttributes(s.attrs...)
	s.t.duration.Record(s.ctx, took.Seconds(), set)
	if s.c.isSequence() {
		s.t.rows.Record(s.ctx, s.c.rows, set)
	}
}

func (s *traced) log(took time.Duration, details []attribute.KeyValue) {
	as := []slog.Attr{slog.Duration("duration", took)}
	for _, list := range [][]attribute.KeyValue{s.attrs[:min(len(s.attrs), 4)], details} {
		for _, a := range list {
			as = append(as, slog.Any(string(a.Key), a.Value.AsInterface()))
		}
	}
	s.t.o.Logger.LogAttrs(s.ctx, slog.LevelWarn, "slow call", as...)
}

// errorType is error.type of how a call ended; "" if well. failed: it is no
// mere answer, such as that there is no such record.
func errorType(c *call, err error) (kind string, failed bool) {
	for i := 0; err == nil && i < len(c.results); i++ {
		if !errors.Is(c.results[i].Err, dataknobs.ErrNotApplied) {
			err = c.results[i].Err
		}
	}
	switch code := codeOf(err); {
	case err == nil || errors.Is(err, dataknobs.ErrInexact):
		return "", false
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout", true
	case code == 0:
		return "canceled", true
	case code == dataknobs.NotFound, code == dataknobs.AlreadyExists, code == dataknobs.Conflict:
		return codeName(code), false
	default:
		return codeName(code), true
	}
}
