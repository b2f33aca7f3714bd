package main

import (
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"strings"
)

func (f figure) String() string {
	switch {
	case f.text != "":
		return f.text
	case f.seconds == 0:
		return ""
	case f.seconds < 1e-6:
		return fmt.Sprintf("%.0f ns", f.seconds*1e9)
	case f.seconds < 1e-3:
		return fmt.Sprintf("%.1f µs", f.seconds*1e6)
	case f.seconds < 1:
		return fmt.Sprintf("%.1f ms", f.seconds*1e3)
	}
	return fmt.Sprintf("%.2f s", f.seconds)
}

// ratio is how many times as long the peer takes.
func (r row) ratio() float64 {
	if r.ours.seconds == 0 || r.peer.seconds == 0 {
		return 0
	}
	return r.peer.seconds / r.ours.seconds
}

func (r row) ratioText() string {
	switch x := r.ratio(); {
	case x == 0:
		return ""
	case x < 10:
		return fmt.Sprintf("%.2f ×", x)
	default:
		return fmt.Sprintf("%.0f ×", x)
	}
}

func (r row) metText() string {
	if r.met {
		return "yes"
	}
	return "no"
}

func (r row) line() string {
	return fmt.Sprintf("%-32s %14s  %-16s %10s  %8s  target %-18s met: %s",
		r.op, r.ours, r.peerName, r.peer, r.ratioText(), r.target, r.metText())
}

// write makes RESULTS.md and the plot.
func (b *bench) write() error {
	var md strings.Builder
	fmt.Fprintf(&md, "# Results\n\nMade by `go run ./bench` on %s. Ratios above 1 say that dataknobs is faster.\n", machine())
	md.WriteString("\n![Speed against the peers](results.svg)\n")
	for _, s := range b.results {
		fmt.Fprintf(&md, "\n## %s\n\n%s\n\n", s.title, s.note)
		md.WriteString("| operation | dataknobs | CPU | peak memory | peer | time | CPU | peak memory | ratio | target | met |\n")
		md.WriteString("| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- | --- |\n")
		for _, r := range s.rows {
			fmt.Fprintf(&md, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.op, r.ours, cpuText(r.ours), rssText(r.ours),
				r.peerName, r.peer, cpuText(r.peer), rssText(r.peer), r.ratioText(), r.target, r.metText())
		}
	}
	if err := os.WriteFile(filepath.Join(b.dir, "RESULTS.md"), []byte(md.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, "results.svg"), []byte(b.plot()), 0o644)
}

func cpuText(f figure) string {
	if f.cpu == 0 {
		return ""
	}
	return figure{seconds: f.cpu}.String()
}

func rssText(f figure) string {
	if f.rss == 0 || f.text != "" {
		return ""
	}
	return fmt.Sprintf("%d MB", f.rss>>20)
}

// plot draws a bar for each ratio, on a logarithmic scale, as SVG.
func (b *bench) plot() string {
	const left, width, height = 330, 420, 20
	var bars strings.Builder
	y := 30
	for _, s := range b.results {
		drawn := false
		for _, r := range s.rows {
			x := r.ratio()
			if x == 0 {
				continue
			}
			if !drawn {
				fmt.Fprintf(&bars, "<text x=\"8\" y=\"%d\" font-weight=\"bold\">%s</text>\n", y+14, html.EscapeString(s.title))
				y, drawn = y+height+4, true
			}
			// One decade is a fifth of the width; parity is a fifth from the left.
			length := math.Max(2, math.Min(1, 0.2+0.2*math.Log10(x))*width)
			colour := "#2b7a4b"
			if !r.met {
				colour = "#b4552d"
			}
			fmt.Fprintf(&bars, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text><rect x=\"%d\" y=\"%d\" width=\"%.0f\" height=\"14\" fill=\"%s\"/><text x=\"%.0f\" y=\"%d\">%s</text>\n",
				left-8, y+12, html.EscapeString(r.op), left, y, length, colour, left+length+6, y+12, r.ratioText())
			y += height
		}
		if drawn {
			y += 12
		}
	}
	parity := left + width/5
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n"+
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"%d\" y=\"20\">times as fast as the peer (the line: as fast)</text>\n%s"+
		"<line x1=\"%d\" y1=\"26\" x2=\"%d\" y2=\"%d\" stroke=\"black\" stroke-dasharray=\"3 3\"/>\n</svg>\n",
		left+width+90, y+10, left, bars.String(), parity, parity, y)
}
