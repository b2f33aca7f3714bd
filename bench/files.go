package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// questions are asked of flights in every format.
var questions = []struct {
	name, dk, sql string
	count         bool
}{
	{"filter, top 10", "carrier = 'AA' and dep_delay > 120 order by dep_delay desc limit 10",
		"select * from %s where carrier = 'AA' and dep_delay > 120 order by dep_delay desc limit 10", false},
	{"count, two conditions", "carrier = 'AA' and dep_delay > 120",
		"select count(*) from %s where carrier = 'AA' and dep_delay > 120", true},
	{"average by group", "SELECT carrier, avg(dep_delay) GROUP BY carrier",
		"select carrier, avg(dep_delay) from %s group by carrier order by carrier", false},
}

// formats are the files of flights, with DuckDB's name for reading each.
var formats = []struct {
	name, file, from string
	factor           float64 // the target: at most so much of DuckDB's time
	flags            []string
}{
	{"CSV", "flights.csv", "read_csv('flights.csv', nullstr='NA')", 0.5, []string{"--nulls", "NA"}},
	{"NDJSON", "flights.ndjson", "read_json('flights.ndjson')", 0.5, nil},
	{"Parquet", "flights.parquet", "'flights.parquet'", 1, nil},
}

// files races dk against the DuckDB command on flights.
func (b *bench) files() error {
	if err := b.flights(); err != nil {
		return err
	}
	s := section{
		title: "Files: `dk` against the DuckDB command " + duckdbVersion,
		note: "flights: 336,776 rows, 19 columns; CSV 31 MB, NDJSON, Parquet (the same files for both). " +
			"Whole process, file cache warm, median of " + fmt.Sprint(b.runs) + " interleaved runs.",
	}
	for _, f := range formats {
		for _, q := range questions {
			ours := command{b.dk, append([]string{"query", f.file, q.dk}, f.flags...)}
			if q.count {
				ours.args[0] = "count"
			}
			theirs := command{b.duckdb, []string{"-noheader", "-csv", "-c", fmt.Sprintf(q.sql, f.from)}}
			r, err := b.race(f.name+": "+q.name, ours, theirs, f.factor)
			if err != nil {
				return err
			}
			s.rows = append(s.rows, r)
		}
	}
	convert, err := b.race("CSV → Parquet",
		command{"sh", []string{"-c", `rm -f out.parquet && exec "$0" copy flights.csv out.parquet --nulls NA`, b.dk}},
		command{"sh", []string{"-c", `rm -f peer.parquet && exec "$0" -c "copy (select * from read_csv('flights.csv', nullstr='NA')) to 'peer.parquet' (format parquet)"`, b.duckdb}}, 0.5)
	if err != nil {
		return err
	}
	s.rows = append(s.rows, convert)
	b.add(s)
	return b.tenfold()
}

func (b *bench) race(op string, ours, theirs command, factor float64) (row, error) {
	a, p, err := b.pair(ours, theirs)
	if err != nil {
		return row{}, err
	}
	target := "no slower"
	if factor < 1 {
		target = fmt.Sprintf("≤ %g × its time", factor)
	}
	return row{op: op, ours: a, peer: p, peerName: "DuckDB", target: target, met: a.seconds <= factor*p.seconds}, nil
}

// tenfold shows that the memory of a scan does not grow with its file.
func (b *bench) tenfold() error {
	s := section{
		title: "Peak memory of scans: flights, and ten times flights",
		note:  "Target: under 100 MB, for both. Whole process, the greatest of three runs.",
	}
	for _, f := range formats {
		big := "ten-" + f.file
		if err := b.multiply(f.file, big, f.flags); err != nil {
			return err
		}
		for _, q := range questions {
			var peak [2]figure
			for i, file := range []string{f.file, big} {
				c := command{b.dk, append([]string{"query", file, q.dk}, f.flags...)}
				if q.count {
					c.args[0] = "count"
				}
				for range 3 {
					one, _, err := b.once(c)
					if err != nil {
						return err
					}
					peak[i].rss = max(peak[i].rss, one.rss)
				}
				peak[i].text = fmt.Sprintf("%d MB", peak[i].rss>>20)
			}
			s.rows = append(s.rows, row{op: f.name + ": " + q.name, ours: peak[1], peer: peak[0], peerName: "flights once",
				target: "< 100 MB", met: max(peak[0].rss, peak[1].rss) < 100e6})
		}
	}
	b.add(s)
	return nil
}

// multiply makes a file of ten times the records.
func (b *bench) multiply(from, to string, flags []string) error {
	path := filepath.Join(b.work, to)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if filepath.Ext(from) == ".parquet" {
		_, _, err := b.once(command{b.dk, append([]string{"copy", "ten-flights.csv", to, "--nulls", "NA"}, flags...)})
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	for i := range 10 {
		if err := b.appendTo(out, from, i > 0 && filepath.Ext(from) == ".csv"); err != nil {
			return err
		}
	}
	return out.Close()
}

// appendTo streams a file into out, so that this process stays small: the peak
// that the kernel reports for a child is never below its parent's.
func (b *bench) appendTo(out io.Writer, from string, skipHeader bool) error {
	in, err := os.Open(filepath.Join(b.work, from))
	if err != nil {
		return err
	}
	defer in.Close()
	r := bufio.NewReader(in)
	if skipHeader {
		if _, err := r.ReadString('\n'); err != nil {
			return err
		}
	}
	_, err = r.WriteTo(out)
	return err
}
