package file

import (
	"math/rand/v2"
	"slices"
)

// How many states are opened for one place in the log, at most, in the short
// form, besides the ends of what may be there.
const (
	mostSingles = 1 // each change alone missing, and alone there
	mostTears   = 2 // of the last write, each of several kinds
	mostMixes   = 1 // random ones
)

func all(int, *event) bool     { return true }
func nothing(int, *event) bool { return false }

func allOf(int, *event) piece  { return whole }
func noneOf(int, *event) piece { return piece{} }

// choices are ways in which a crash may end, of those that c leaves open: the
// two ends of it, each change alone, tears of the last write, and mixtures.
func (x *explorer) choices(c *crash, at int, log []*event, depth int) []choice {
	cs := []choice{{all, allOf}, {nothing, noneOf}}
	open := slices.Clone(c.pending)
	for _, f := range c.files {
		open = append(open, f.pending...)
	}
	if len(open) == 0 {
		return cs[:1]
	}
	if depth == 0 { // after a second crash, a few
		for _, e := range c.pending {
			cs = append(cs, choice{alone(e, true).folder, allOf})
		}
		return append(cs, x.mix(), x.mix())
	}
	if len(c.pending) > 0 {
		cs = append(cs, choice{all, noneOf}, choice{nothing, allOf})
	}
	x.rng.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	for _, e := range open[:min(len(open), mostSingles)] {
		cs = append(cs, alone(e, true), alone(e, false))
	}
	if at > 0 && log[at-1].kind == evWrite {
		cs = append(cs, x.tears(log[at-1])...)
	}
	for range mostMixes {
		cs = append(cs, x.mix())
	}
	return cs
}

// alone is everything but e, or e alone.
func alone(e *event, there bool) choice {
	return choice{
		folder: func(_ int, o *event) bool { return (o == e) == there },
		file: func(_ int, o *event) piece {
			if (o == e) == there {
				return whole
			}
			return piece{}
		},
	}
}

// tears are ways in which a part of e is on the disk: cut at some byte, where the
// file ends or zeros follow, or some of its sectors.
func (x *explorer) tears(e *event) []choice {
	var ps []piece
	n := len(e.data)
	add := func(cut int) {
		ps = append(ps, piece{cut: cut}, piece{cut: cut, sized: true})
	}
	ps = append(ps, piece{cut: 0, sized: true})
	for range mostTears {
		add([]int{1, n - 1, int(sector - e.off%sector), x.rng.IntN(n), x.rng.IntN(n), x.rng.IntN(n)}[x.rng.IntN(6)])
		ps = append(ps, sectors(x.rng, e))
	}
	var cs []choice
	for _, p := range ps {
		rest := []piece{whole, {}}[x.rng.IntN(2)]
		cs = append(cs, choice{all, func(_ int, o *event) piece {
			if o == e {
				return p
			}
			return rest
		}})
	}
	return cs
}

// sectors is a random part of a write: some of its sectors.
func sectors(rng *rand.Rand, e *event) piece {
	p := piece{cut: -1, sectors: make([]bool, e.numSectors())}
	for i := range p.sectors {
		p.sectors[i] = rng.IntN(2) == 0
	}
	return p
}

// mix is a mixture of everything.
func (x *explorer) mix() choice {
	often := []int{1, 2, 4, 8}[x.rng.IntN(4)] // one of so many is not there
	seed := x.rng.Uint64()
	rng := func(e *event, i int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(i)<<8+uint64(e.kind))) }
	return choice{
		folder: func(i int, e *event) bool { return rng(e, i).IntN(often+1) > 0 },
		file: func(i int, e *event) piece {
			r := rng(e, i+1000*e.ino)
			switch n := len(e.data); {
			case r.IntN(often+1) > 0:
				return whole
			case n == 0:
				return piece{}
			default:
				// Only what is being written as the power goes is torn within a sector.
				cut := max(int((e.off+int64(r.IntN(n+1)))/sector*sector-e.off), 0)
				switch r.IntN(4) {
				case 0:
					return piece{}
				case 1:
					return piece{cut: cut}
				case 2:
					return piece{cut: cut, sized: true}
				default:
					return sectors(r, e)
				}
			}
		},
	}
}
