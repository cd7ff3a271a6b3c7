package capture

import (
	"time"

	"github.com/stillcast/stillcast/internal/media"
)

// unitOverhead is what a kept access unit takes beside its bytes, with what
// slices grow in advance.
const unitOverhead = 256

// kept is an access unit of a [group].
type kept struct {
	data       []byte
	chunk      *chunk // that data is in
	start      media.Start
	disposable bool // no other picture needs it
	refs       int  // pictures that others may need, in the group up to this one

	shown   time.Time // from when on it is on display
	bound   time.Time // see timeline.place
	arrived time.Time
	pts     time.Duration
}

// startsGroup says whether what follows can be decoded from this access unit.
func (k *kept) startsGroup() bool {
	return k.start.Kind == media.StartKey || k.start.Kind == media.StartRecovery
}

// group is the access units of a stream since a start point, compressed as they
// came. When the next start point is here, the ones before it stay until all
// pictures that may need them have arrived. It is not safe for concurrent
// use, but the jobs made of it live on their own.
type group struct {
	config *media.Config
	units  []kept
	base   uint64 // number of units[0] in its stream
	starts int    // start points among them
	closed bool   // it takes no more access units

	chunks []*chunk
	bytes  int64 // of chunks and overhead
	limit  int64
	total  *budget
}

// open says whether access units are to be kept; a nil group keeps none.
func (g *group) open() bool { return g != nil && !g.closed }

// end is the number of the access unit that comes next.
func (g *group) end() uint64 { return g.base + uint64(len(g.units)) }

// number is that of units[i] in its stream.
func (g *group) number(i int) uint64 { return g.base + uint64(i) } //nolint:gosec // an index

// index returns the place of an access unit by its number.
func (g *group) index(number uint64) (int, bool) {
	if g == nil || number < g.base || number >= g.end() {
		return 0, false
	}
	return int(number - g.base), true //nolint:gosec // below len(g.units)
}

// add keeps a copy of data. Otherwise it returns why it cannot, for the metric.
func (g *group) add(k kept, data []byte) (refused string) {
	c, refused := g.chunkFor(len(data), k.startsGroup())
	if refused != "" {
		return refused
	}
	if n := len(g.units); n > 0 {
		k.refs = g.units[n-1].refs
	}
	if !k.disposable {
		k.refs++
	}
	if k.startsGroup() {
		g.starts++
	}
	k.data, k.chunk = c.put(data), c
	g.units = append(g.units, k)
	return ""
}

// chunkFor finds room for n bytes, and accounts for the access unit. A start
// point begins a chunk, so that what is before it can go.
func (g *group) chunkFor(n int, fresh bool) (c *chunk, refused string) {
	var need int64 = unitOverhead
	if len(g.chunks) > 0 {
		c = g.chunks[len(g.chunks)-1]
	}
	if c == nil || fresh || !c.room(n) {
		c = nil
		need += int64(n)
	}
	if g.bytes+need > g.limit {
		return nil, fallbackGOP
	}
	if !g.total.take(unitOverhead) {
		return nil, fallbackTotal
	}
	if c == nil {
		spare := g.limit - g.bytes - unitOverhead
		size := max(int64(n), min(max(g.bytes, minChunk), maxChunk, spare))
		if c = newChunk(g.total, int(size)); c == nil {
			g.total.give(unitOverhead)
			return nil, fallbackTotal
		}
		g.chunks = append(g.chunks, c)
		g.bytes += c.size
	}
	g.bytes += unitOverhead
	return c, ""
}

// onDisplay returns the access unit whose picture is on display at t.
func (g *group) onDisplay(t time.Time) (int, bool) {
	best := -1
	for i := range g.units {
		k := &g.units[i]
		if !k.shown.After(t) && (best < 0 || !k.shown.Before(g.units[best].shown)) {
			best = i
		}
	}
	return best, best >= 0
}

// newAfter returns when the first of the access units from a number on goes on
// display that does so after t.
func (g *group) newAfter(t time.Time, number uint64) (first time.Time, ok bool) {
	for i := range g.units {
		shown := g.units[i].shown
		if g.number(i) >= number && shown.After(t) && (!ok || shown.Before(first)) {
			first, ok = shown, true
		}
	}
	return first, ok
}

// startFor returns the last start point that the picture of units[target] can
// be decoded from.
func (g *group) startFor(target int) (int, bool) {
	for i := target; i >= 0; i-- {
		if g.units[i].startsGroup() && g.decodes(i, target) {
			return i, true
		}
	}
	return 0, false
}

// decodes says whether the picture of units[target] is right when decoding
// starts at units[start]: what is shown before a start point may need earlier
// pictures, and a recovery point takes a while.
func (g *group) decodes(start, target int) bool {
	s, t := &g.units[start], &g.units[target]
	return !t.shown.Before(s.shown) && t.refs-s.refs >= s.start.Frames
}

// newestStart returns the number of the newest start point of the group.
func (g *group) newestStart() uint64 {
	for i := len(g.units) - 1; i > 0; i-- {
		if g.units[i].startsGroup() {
			return g.number(i)
		}
	}
	return g.base
}

// lastStart returns the last start point, intra pictures among them, that
// is on display at t or before.
func (g *group) lastStart(t time.Time) (int, bool) {
	if g == nil {
		return 0, false
	}
	for i := len(g.units) - 1; i >= 0; i-- {
		if k := &g.units[i]; k.start.Kind != media.StartNone && !k.shown.After(t) {
			return i, true
		}
	}
	return 0, false
}

// trim lets go what is before the newest start point that is enough for all
// pictures to come.
func (g *group) trim() {
	if g.starts < 2 {
		return
	}
	last := len(g.units) - 1
	for i := last; i > 0; i-- {
		k := &g.units[i]
		if k.startsGroup() && !g.units[last].bound.Before(k.shown) && g.decodes(i, last) {
			g.cut(i)
			return
		}
	}
}

// cut lets go everything before units[i], a start point and so the first in its
// chunk.
func (g *group) cut(i int) {
	n := 0
	for g.chunks[n] != g.units[i].chunk {
		g.bytes -= g.chunks[n].size
		g.chunks[n].letGo()
		n++
	}
	g.chunks = append(g.chunks[:0], g.chunks[n:]...)
	g.giveOverhead(i)
	for _, k := range g.units[:i] {
		if k.startsGroup() {
			g.starts--
		}
	}
	rest := copy(g.units, g.units[i:])
	clear(g.units[rest:])
	g.units = g.units[:rest]
	g.base = g.number(i)
}

func (g *group) giveOverhead(n int) {
	g.bytes -= int64(n) * unitOverhead
	g.total.give(int64(n) * unitOverhead)
}

// shrink lets go everything but the last start point, and closes the group.
func (g *group) shrink() {
	if g.closed {
		return
	}
	start, end := -1, g.end()
	for i := range g.units {
		if g.units[i].startsGroup() {
			start = i
		}
	}
	if start < 0 {
		g.release()
		return
	}
	k, number := g.units[start], g.number(start)
	g.release()
	g.base = number
	if g.add(k, k.data) != "" {
		g.base = end
	}
}

// release lets everything go, and closes the group.
func (g *group) release() {
	for _, c := range g.chunks {
		g.bytes -= c.size
		c.letGo()
	}
	g.giveOverhead(len(g.units))
	g.base = g.end()
	g.units, g.chunks, g.starts, g.closed = nil, nil, 0, true
}
