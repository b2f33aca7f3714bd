package layer_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.39.0"
	"go.opentelemetry.io/otel/semconv/v1.39.0/dbconv"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/driver/sqlite"
	"dataknobs.dev/dataknobs/layer"
)

// A recording is what a traced store told.
type recording struct {
	spans  *tracetest.InMemoryExporter
	meters *sdkmetric.ManualReader
	log    bytes.Buffer
}

func traced(d dataknobs.Driver, s layer.TraceSettings) (*dataknobs.DB, *recording) {
	r := &recording{spans: tracetest.NewInMemoryExporter(), meters: sdkmetric.NewManualReader()}
	s.System, s.Collection = "memory", "people"
	return dataknobs.New(layer.Trace(d, layer.TraceOptions{
		TraceSettings: s,
		Tracers:       sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans)),
		Meters:        sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.meters)),
		Logger:        slog.New(slog.NewTextHandler(&r.log, nil)),
	}), nil), r
}

func attr(span tracetest.SpanStub, key attribute.Key) string {
	for _, a := range span.Attributes {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

func TestTraceMakesASpanOfEachCall(t *testing.T) {
	for _, c := range []struct {
		name string
		rule string
		use  func(context.Context, *dataknobs.DB) error
		want map[attribute.Key]string
		code codes.Code
	}{
		{"get", "", get, map[attribute.Key]string{semconv.DBOperationNameKey: "get", semconv.DBQuerySummaryKey: "get people"}, codes.Unset},
		{"put", "", put, map[attribute.Key]string{semconv.DBOperationNameKey: "put"}, codes.Unset},
		{"batch", "", func(ctx context.Context, db *dataknobs.DB) error {
			_, err := db.PutMany(ctx, []*dataknobs.Record{record("x", 1), record("y", 2)})
			return err
		}, map[attribute.Key]string{semconv.DBOperationNameKey: "BATCH put", semconv.DBOperationBatchSizeKey: "2"}, codes.Unset},
		{"query", "", func(ctx context.Context, db *dataknobs.DB) error {
			_, err := db.All(ctx, dataknobs.MustParse("n > 1 and n in (2, 3) and (secret is null or secret like 'topsecret%') order by n desc limit 2"))
			return err
		}, map[attribute.Key]string{
			semconv.DBOperationNameKey: "scan", semconv.DBResponseReturnedRowsKey: "2",
			semconv.DBQueryTextKey: "n > ? AND n IN (?) AND (secret IS NULL OR secret LIKE ?) ORDER BY n DESC LIMIT 2",
		}, codes.Unset},
		{"failure", "get fail=unavailable", func(ctx context.Context, db *dataknobs.DB) error { _ = get(ctx, db); return nil },
			map[attribute.Key]string{semconv.ErrorTypeKey: "unavailable"}, codes.Error},
		{"mere answer", "", func(ctx context.Context, db *dataknobs.DB) error {
			_ = create(ctx, db)
			_ = create(ctx, db)
			return nil
		},
			map[attribute.Key]string{semconv.ErrorTypeKey: "already_exists"}, codes.Unset},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d dataknobs.Driver = store(t)
			if c.rule != "" {
				d = faulty(t, d, c.rule)
			}
			db, r := traced(d, layer.TraceSettings{})
			if err := c.use(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			spans := r.spans.GetSpans()
			if len(spans) == 0 {
				t.Fatal("there is no span")
			}
			span := spans[len(spans)-1]
			c.want[semconv.DBSystemNameKey], c.want[semconv.DBCollectionNameKey] = "memory", "people"
			for key, want := range c.want {
				if got := attr(span, key); got != want {
					t.Errorf("%s: got %q, wanted %q", key, got, want)
				}
			}
			if span.Status.Code != c.code || span.InstrumentationScope.SchemaURL != semconv.SchemaURL {
				t.Errorf("status %v, schema %q; wanted %v, %q", span.Status, span.InstrumentationScope.SchemaURL, c.code, semconv.SchemaURL)
			}
			for _, a := range span.Attributes {
				if strings.Contains(a.Value.String(), "topsecret") {
					t.Errorf("%s shows a value: %s", a.Key, a.Value.String())
				}
			}
		})
	}
}

func TestTraceShowsAggregationsWithoutValues(t *testing.T) {
	d, err := sqlite.New(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "a.db"), Sync: sqlite.SyncOff})
	if err != nil {
		t.Fatal(err)
	}
	db, r := traced(d, layer.TraceSettings{})
	defer db.Close()
	if _, err := db.Create(t.Context(), record("a", 7)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.All(t.Context(), dataknobs.MustParse("select n, count(*), max(n) where n between 5 and 9 group by n")); err != nil {
		t.Fatal(err)
	}
	spans := r.spans.GetSpans()
	want := "SELECT count(*), max(n) WHERE n BETWEEN ? AND ? GROUP BY n"
	if got := attr(spans[len(spans)-1], semconv.DBQueryTextKey); got != want {
		t.Errorf("got %q, wanted %q", got, want)
	}
}

// What a store can do besides passes through all layers.
func TestLayersPassOnWhatTheStoreKnows(t *testing.T) {
	d, err := sqlite.New(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "a.db"), Sync: sqlite.SyncOff})
	if err != nil {
		t.Fatal(err)
	}
	bare, db := dataknobs.New(d, nil), dataknobs.New(stacked()(t, d), nil)
	if _, err := db.Create(t.Context(), record("a", 7)); err != nil {
		t.Fatal(err)
	}
	if err := db.Sync(t.Context()); err != nil {
		t.Errorf("Sync: %v", err)
	}
	want, has := bare.PoolStats()
	if got, ok := db.PoolStats(); ok != has || got.Max != want.Max {
		t.Errorf("PoolStats: got %+v %v, wanted %+v %v", got, ok, want, has)
	}
	s, err := db.Schema(t.Context())
	if err != nil || s.Records != 1 {
		t.Errorf("Schema: got %+v, error %v", s, err)
	}
	q := dataknobs.MustParse("n = 7")
	p, err := db.Explain(t.Context(), q, dataknobs.ExplainOptions{})
	if bp, berr := bare.Explain(t.Context(), q, dataknobs.ExplainOptions{}); err != nil || berr != nil || !slices.Equal(p.Pushed.Steps, bp.Pushed.Steps) {
		t.Errorf("Explain: got %v, wanted %v (%v, %v)", p, bp, err, berr)
	}
	if db.Name() != bare.Name() {
		t.Errorf("the name: got %q, wanted %q", db.Name(), bare.Name())
	}
}

func TestTraceMeasures(t *testing.T) {
	db, r := traced(store(t), layer.TraceSettings{})
	if _, err := db.All(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var got metricdata.ResourceMetrics
	if err := r.meters.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	units := map[string]string{}
	for _, s := range got.ScopeMetrics {
		for _, m := range s.Metrics {
			units[m.Name] = m.Unit
		}
	}
	for name, unit := range map[string]string{
		dbconv.ClientOperationDuration{}.Name():    dbconv.ClientOperationDuration{}.Unit(),
		dbconv.ClientResponseReturnedRows{}.Name(): dbconv.ClientResponseReturnedRows{}.Unit(),
	} {
		if units[name] != unit {
			t.Errorf("%s: got unit %q, wanted %q", name, units[name], unit)
		}
	}
}

func TestTraceLogsSlowCallsWithoutValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, r := traced(faulty(t, store(t), "scan nth=1 delay=2s", "get delay=2s"), layer.TraceSettings{Slow: time.Second})
		q := dataknobs.MustParse("n > 0 and name != 'topsecret'")
		for range 2 {
			for _, err := range db.Run(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute) // the caller's time does not count
			}
		}
		if err := get(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "duration=2s") || !strings.Contains(lines[0], "n > ? AND name != ?") {
			t.Errorf("the log is\n%s", &r.log)
		}
		if strings.Contains(r.log.String(), "topsecret") || strings.Contains(r.log.String(), "dataknobs.ids") {
			t.Errorf("the log shows a value or an ID:\n%s", &r.log)
		}
	})
}

func TestTraceShowsIDsOnlyWhereAsked(t *testing.T) {
	for _, ids := range []bool{false, true} {
		db, r := traced(store(t), layer.TraceSettings{IDs: ids})
		if err := get(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		shows := slices.ContainsFunc(r.spans.GetSpans()[0].Attributes, func(a attribute.KeyValue) bool { return strings.Contains(a.Value.String(), `"a"`) })
		if shows != ids {
			t.Errorf("ids %v: the span says %v", ids, r.spans.GetSpans()[0].Attributes)
		}
	}
}
