package config_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"dataknobs.dev/dataknobs"
	"dataknobs.dev/dataknobs/config"
	"dataknobs.dev/dataknobs/internal/servers"
	"dataknobs.dev/dataknobs/internal/servers/bucket"
)

// program is a program that knows its stores by name and nothing else. What it
// returns must not depend on what they are.
func program(ctx context.Context, cfg *config.Config) (string, error) {
	main, err := cfg.Open(ctx, "main")
	if err != nil {
		return "", err
	}
	scratch, err := cfg.Open(ctx, "scratch")
	if err != nil {
		return "", err
	}
	archive, err := cfg.Open(ctx, "archive")
	if err != nil {
		return "", err
	}
	for i, name := range []string{"Ada", "Grace", "Edsger", "Barbara", "Donald"} {
		rec := dataknobs.NewRecord(strings.ToLower(name), dataknobs.F("name", name), dataknobs.F("n", i), dataknobs.F("tags", []any{"a", i}))
		if _, err := main.Create(ctx, rec); err != nil {
			return "", err
		}
	}
	if _, err := main.Patch(ctx, "ada", []dataknobs.Change{{Path: dataknobs.Names("n"), Value: dataknobs.Int(10)}}); err != nil {
		return "", err
	}
	if err := main.Delete(ctx, "edsger"); err != nil {
		return "", err
	}
	q, err := dataknobs.Parse("n >= 3 order by n desc")
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for rec, err := range main.Run(ctx, q) {
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "%s %v %v %v\n", rec.ID, rec.Get("name"), rec.Get("n"), rec.Get("tags"))
		for _, db := range []*dataknobs.DB{scratch, archive} {
			if _, err := db.Put(ctx, rec); err != nil {
				return "", err
			}
		}
	}
	for _, db := range []*dataknobs.DB{main, scratch, archive} {
		n, err := db.Count(ctx, nil)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "%s has %d\n", db.Name(), n)
	}
	_, err = main.Get(ctx, "edsger")
	fmt.Fprintln(&out, dataknobs.CodeOf(err))
	return out.String(), nil
}

// environments make testdata/example.yaml, which is not changed, describe
// stores of another kind each.
var environments = map[string]func(t *testing.T) []string{
	"memory": func(*testing.T) []string { return everywhere("BACKEND=memory") },
	"file": func(t *testing.T) []string {
		dir := t.TempDir()
		return []string{
			"DK_DATABASES_MAIN_URL=file:" + filepath.Join(dir, "main.json"), "DK_DATABASES_SCRATCH_URL=" + filepath.Join(dir, "scratch.ndjson"),
			"DK_DATABASES_ARCHIVE_BACKEND=file", "DK_DATABASES_ARCHIVE_PATH=" + filepath.Join(dir, "archive.json"),
		}
	},
	"sqlite": func(t *testing.T) []string {
		path := filepath.Join(t.TempDir(), "x.db")
		return append(everywhere("BACKEND=sqlite", "PATH="+path),
			"DK_DATABASES_MAIN_TABLE=main", "DK_DATABASES_SCRATCH_TABLE=scratch", "DK_DATABASES_ARCHIVE_TABLE=archive")
	},
	"postgres":      postgresEnvironment,
	"elasticsearch": elasticsearchEnvironment,
	"s3":            s3Environment,
}

// everywhere sets the same settings of all three stores.
func everywhere(settings ...string) []string {
	var env []string
	for _, store := range []string{"MAIN", "ARCHIVE", "SCRATCH"} {
		for _, s := range settings {
			env = append(env, "DK_DATABASES_"+store+"_"+s)
		}
	}
	return env
}

func postgresEnvironment(t *testing.T) []string {
	u, err := url.Parse(servers.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	table := fmt.Sprintf("config_%x", rand.Uint64())
	t.Cleanup(func() { dropTables(t, u, table, table+"_scratch", table+"_archive") })
	// The main store stays what the file says it is; scratch follows it.
	return []string{
		"DB_HOST=" + u.Hostname(), "DB_PORT=" + u.Port(), "DB_PASSWORD=" + password,
		"DK_DATABASES_MAIN_USER=" + u.User.Username(), "DK_DATABASES_MAIN_DBNAME=" + strings.Trim(u.Path, "/"), "DK_DATABASES_MAIN_SSLMODE=disable",
		"DK_DATABASES_MAIN_TABLE=" + table, "DK_DATABASES_SCRATCH_TABLE=" + table + "_scratch",
		"DK_DATABASES_ARCHIVE_URL=" + u.String(), "DK_DATABASES_ARCHIVE_TABLE=" + table + "_archive",
	}
}

func elasticsearchEnvironment(t *testing.T) []string {
	node := servers.Elasticsearch(t)
	index := fmt.Sprintf("config-%x", rand.Uint64())
	t.Cleanup(func() {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, node+"/"+index+"-main,"+index+"-scratch,"+index+"-archive?ignore_unavailable=true", nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	})
	return append(everywhere("BACKEND=elasticsearch", "HOSTS="+node),
		"DK_DATABASES_MAIN_INDEX="+index+"-main", "DK_DATABASES_SCRATCH_INDEX="+index+"-scratch", "DK_DATABASES_ARCHIVE_INDEX="+index+"-archive")
}

func s3Environment(t *testing.T) []string {
	s := servers.MinIO(t)
	name := fmt.Sprintf("config-%x", rand.Uint64())
	if err := (bucket.Server{Endpoint: s.Endpoint, Key: s.Key, Secret: s.Secret}).Make(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return append(everywhere("BACKEND=s3", "BUCKET="+name, "ENDPOINT="+s.Endpoint, "REGION=us-east-1", "ACCESS_KEY="+s.Key, "SECRET_KEY="+s.Secret),
		"DK_DATABASES_MAIN_PREFIX=main/", "DK_DATABASES_SCRATCH_PREFIX=scratch/", "DK_DATABASES_ARCHIVE_PREFIX=archive/")
}

func dropTables(t *testing.T, u *url.URL, tables ...string) {
	t.Helper()
	for _, table := range tables {
		if err := dropTable(context.Background(), u.String(), table); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSameProgramRunsOnEveryStore(t *testing.T) {
	want := `ada 'Ada' 10 ['a', 0]
donald 'Donald' 4 ['a', 4]
barbara 'Barbara' 3 ['a', 3]
main has 4
scratch has 3
archive has 3
not found
`
	for name, environment := range environments {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.New(&config.Options{Files: []string{"testdata/example.yaml"}, Environ: environment(t)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := program(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			for _, h := range cfg.Health(t.Context()) {
				if h.Err != nil {
					t.Errorf("%s is not well: %v", h.Name, h.Err)
				}
			}
			if err := cfg.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}
