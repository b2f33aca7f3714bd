package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// write makes RESULTS.md, results.json and the plots. Sections that this run
// has not measured stay as an earlier run has left them.
func (b *bench) write() error {
	report := b.report()
	if err := report.keep(filepath.Join(b.dir, "results.json")); err != nil {
		return err
	}
	data, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return err
	}
	plots := filepath.Join(b.dir, "plots")
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	for path, content := range map[string]string{
		filepath.Join(b.dir, "RESULTS.md"):   report.markdown(),
		filepath.Join(b.dir, "results.json"): string(data) + "\n",
		filepath.Join(plots, "ratios.svg"):   ratioPlot(report.sections()),
	} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	if len(report.Curves) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(plots, "scaling.svg"), []byte(scalingPlot(report.Curves)), 0o644)
}

// keep takes over what an earlier run has measured and this one has not.
func (r *reportJSON) keep(path string) error {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var old reportJSON
	if err := json.Unmarshal(data, &old); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fresh := map[string]bool{}
	for _, s := range r.Sections {
		fresh[s.Part] = true
	}
	order := sectionNames()
	for _, s := range old.Sections {
		if !fresh[s.Part] && slices.Contains(order, s.Part) {
			r.Sections = append(r.Sections, s)
		}
	}
	slices.SortStableFunc(r.Sections, func(a, b sectionJSON) int { return slices.Index(order, a.Part) - slices.Index(order, b.Part) })
	if len(r.Curves) == 0 {
		r.Curves = old.Curves
	}
	for _, v := range old.Versions {
		if !slices.ContainsFunc(r.Versions, func(w version) bool { return w.Name == v.Name }) {
			r.Versions = append(r.Versions, v)
		}
	}
	return nil
}

func (r *reportJSON) markdown() string {
	var md strings.Builder
	fmt.Fprintf(&md, "# Results\n\nMade by `go run ./bench` on %s. Ratios above 1 say that dataknobs is faster. Each figure is the "+
		"median of interleaved runs; the spread is from the least to the greatest of them. Every table was measured in one run with its peers, at the time "+
		"that it names. The same as data: [results.json](results.json).\n", r.Machine)
	missed, rows := 0, 0
	for _, s := range r.sections() {
		for _, x := range s.rows {
			if x.target != "" {
				rows++
				if !x.met {
					missed++
				}
			}
		}
	}
	fmt.Fprintf(&md, "\n%d of %d targets are met.\n", rows-missed, rows)
	md.WriteString("\n![Speed against the peers](plots/ratios.svg)\n\n")
	if len(r.Curves) > 0 {
		md.WriteString("![Cost against size](plots/scaling.svg)\n\n")
	}
	md.WriteString("| software | version |\n| --- | --- |\n")
	for _, v := range r.Versions {
		fmt.Fprintf(&md, "| %s | %s |\n", v.Name, v.Version)
	}
	for _, s := range r.sections() {
		s.markdown(&md)
	}
	return md.String()
}

func (s section) markdown(md *strings.Builder) {
	fmt.Fprintf(md, "\n## %s\n\n%s Measured %s by `go run ./bench --only %s`.\n\n", s.title, s.note, s.taken, s.part)
	md.WriteString("| operation | dataknobs | spread | CPU | peak memory | peer | time | spread | CPU | peak memory | ratio | target | met |\n")
	md.WriteString("| --- | ---: | --- | ---: | ---: | --- | ---: | --- | ---: | ---: | ---: | --- | --- |\n")
	for _, r := range s.rows {
		fmt.Fprintf(md, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.op, r.ours, r.ours.spread(), duration(r.ours.cpu), rssText(r.ours),
			r.peerName, r.peer, r.peer.spread(), duration(r.peer.cpu), rssText(r.peer), r.ratioText(), r.target, r.metText())
	}
}

func rssText(f figure) string {
	if f.rss == 0 || f.text != "" {
		return ""
	}
	return fmt.Sprintf("%d MB", f.rss>>20)
}

// The form of results.json. Times are in seconds, memory in bytes.
type (
	reportJSON struct {
		about
		Sections []sectionJSON `json:"sections"`
		Curves   []curve       `json:"scaling"`
	}
	sectionJSON struct {
		Part  string    `json:"part"` // as --only names it
		Taken string    `json:"taken"`
		Title string    `json:"title"`
		Note  string    `json:"note"`
		Rows  []rowJSON `json:"rows"`
	}
	rowJSON struct {
		Operation string      `json:"operation"`
		Ours      figureJSON  `json:"dataknobs"`
		PeerName  string      `json:"peer,omitempty"`
		Peer      *figureJSON `json:"peer_figure,omitempty"`
		Ratio     float64     `json:"ratio,omitempty"`
		Target    string      `json:"target,omitempty"`
		Met       *bool       `json:"met,omitempty"`
	}
	figureJSON struct {
		Median float64 `json:"median,omitempty"`
		Low    float64 `json:"low,omitempty"`
		High   float64 `json:"high,omitempty"`
		CPU    float64 `json:"cpu,omitempty"`
		Memory int64   `json:"memory,omitempty"`
		Text   string  `json:"text,omitempty"`
	}
)

func (f figure) json() figureJSON {
	return figureJSON{Median: f.seconds, Low: f.low, High: f.high, CPU: f.cpu, Memory: f.rss, Text: f.text}
}

func (f figureJSON) figure() figure {
	return figure{seconds: f.Median, low: f.Low, high: f.High, cpu: f.CPU, rss: f.Memory, text: f.Text}
}

func (b *bench) report() *reportJSON {
	report := &reportJSON{about: b.about(), Curves: b.curves}
	for _, s := range b.results {
		sj := sectionJSON{Part: s.part, Taken: s.taken, Title: s.title, Note: s.note}
		for _, r := range s.rows {
			sj.Rows = append(sj.Rows, r.json())
		}
		report.Sections = append(report.Sections, sj)
	}
	return report
}

func (r row) json() rowJSON {
	rj := rowJSON{Operation: r.op, Ours: r.ours.json(), PeerName: r.peerName, Ratio: r.ratio(), Target: r.target}
	if r.peerName != "" {
		peer := r.peer.json()
		rj.Peer = &peer
	}
	if r.target != "" {
		rj.Met = &r.met
	}
	return rj
}

func (r *reportJSON) sections() []section {
	var all []section
	for _, sj := range r.Sections {
		s := section{part: sj.Part, taken: sj.Taken, title: sj.Title, note: sj.Note}
		for _, rj := range sj.Rows {
			x := row{op: rj.Operation, ours: rj.Ours.figure(), peerName: rj.PeerName, target: rj.Target, met: rj.Met != nil && *rj.Met}
			if rj.Peer != nil {
				x.peer = rj.Peer.figure()
			}
			s.rows = append(s.rows, x)
		}
		all = append(all, s)
	}
	return all
}
