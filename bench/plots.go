package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// ratioPlot draws a bar for each ratio, on a logarithmic scale, as SVG.
func ratioPlot(sections []section) string {
	const left, width, height = 330, 420, 20
	var bars strings.Builder
	y := 30
	for _, s := range sections {
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
			switch {
			case r.target == "":
				colour = "#7a8290"
			case !r.met:
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
	return svg(left+width+90, y+10, fmt.Sprintf("<text x=\"%d\" y=\"20\">times as fast as the peer (the line: as fast; green: target met)</text>\n%s"+
		"<line x1=\"%d\" y1=\"26\" x2=\"%d\" y2=\"%d\" stroke=\"black\" stroke-dasharray=\"3 3\"/>\n", left, bars.String(), parity, parity, y))
}

func svg(width, height int, content string) string {
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n"+
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n%s</svg>\n", width, height, content)
}

var colours = []string{"#2b5c8a", "#b4552d", "#2b7a4b", "#7d4e9e", "#a08020", "#3f8f94"}

// scalingPlot draws, for each operation, the seconds against the number of
// records of every store, both axes logarithmic.
func scalingPlot(curves []curve) string {
	const width, height, gap, perRow = 300, 220, 70, 2
	var content strings.Builder
	var ops, stores []string
	for _, c := range curves {
		ops, stores = with(ops, c.Operation), with(stores, c.Store)
	}
	for i, name := range stores {
		fmt.Fprintf(&content, "<text x=\"%d\" y=\"18\" fill=\"%s\" font-weight=\"bold\">%s</text>\n", 50+110*i, colours[i%len(colours)], html.EscapeString(name))
	}
	for i, op := range ops {
		f := frame{x: 60 + (i%perRow)*(width+gap), y: 50 + (i/perRow)*(height+gap), width: width, height: height}
		f.fit(curves, op)
		f.axes(&content, op)
		for _, c := range curves {
			if c.Operation == op {
				f.line(&content, c, colours[slices.Index(stores, c.Store)%len(colours)])
			}
		}
	}
	rows := (len(ops) + perRow - 1) / perRow
	return svg(max(60+perRow*(width+gap), 50+110*len(stores)), 50+rows*(height+gap), content.String())
}

// A frame is one diagram: its place on the page, and the decades that it shows.
type frame struct {
	x, y, width, height    int
	left, right, low, high float64 // powers of ten
}

// fit chooses the decades such that every curve of op fits.
func (f *frame) fit(curves []curve, op string) {
	f.left, f.right, f.low, f.high = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		if c.Operation != op {
			continue
		}
		for _, p := range c.Points {
			f.left, f.right = min(f.left, math.Log10(float64(p.N))), max(f.right, math.Log10(float64(p.N)))
			f.low, f.high = min(f.low, math.Floor(math.Log10(p.Seconds))), max(f.high, math.Ceil(math.Log10(p.Seconds)))
		}
	}
	if f.right <= f.left {
		f.right = f.left + 1
	}
	if f.high <= f.low {
		f.high = f.low + 1
	}
}

func (f *frame) at(n int, seconds float64) (x, y float64) {
	return float64(f.x) + float64(f.width)*(math.Log10(float64(n))-f.left)/(f.right-f.left),
		float64(f.y) + float64(f.height)*(f.high-math.Log10(seconds))/(f.high-f.low)
}

func (f *frame) axes(w *strings.Builder, op string) {
	fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\"/>\n",
		f.x, f.y-8, html.EscapeString(op), f.x, f.y, f.width, f.height)
	for e := f.low; e <= f.high; e++ {
		_, y := f.at(1, math.Pow(10, e))
		fmt.Fprintf(w, "<line x1=\"%d\" y1=\"%.0f\" x2=\"%d\" y2=\"%.0f\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%s</text>\n",
			f.x, y, f.x+f.width, y, f.x-4, y+4, decade(e))
	}
	for e := math.Ceil(f.left); e <= f.right; e++ {
		n := int(math.Round(math.Pow(10, e)))
		x, _ := f.at(n, 1)
		fmt.Fprintf(w, "<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x, f.y+f.height+16, thousands(n))
	}
}

// decade words a power of ten of seconds.
func decade(e float64) string {
	units := []struct {
		from float64
		name string
	}{{0, "s"}, {-3, "ms"}, {-6, "µs"}, {-9, "ns"}}
	for _, u := range units {
		if e >= u.from {
			return fmt.Sprintf("%.0f %s", math.Pow(10, e-u.from), u.name)
		}
	}
	return fmt.Sprintf("1e%.0f s", e)
}

func (f *frame) line(w *strings.Builder, c curve, colour string) {
	var points []string
	for _, p := range c.Points {
		x, y := f.at(p.N, p.Seconds)
		points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
		fmt.Fprintf(w, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x, y, colour)
	}
	fmt.Fprintf(w, "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", strings.Join(points, " "), colour)
}

func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
