package capture

import (
	"hash/maphash"
	"slices"

	"github.com/stillcast/stillcast/internal/media"
)

const (
	// maxPoison is how many inputs are remembered for a push; more forget the
	// oldest.
	maxPoison = 16
	// maxBackoff bounds the due times that are passed over to 2^maxBackoff.
	maxBackoff = 8
	// forgiven is how many good shots in a row make a step of the backoff undone.
	// Fewer would let a stream that is good now and then kill a worker each time.
	forgiven = 256
)

// poison is the inputs that killed workers. The zero value is none.
type poison struct {
	marks [maxPoison]uint64
	n     int // of all that were added
}

// fingerprint is that of a decoder configuration and the access unit that
// decoding starts at.
func fingerprint(seed maphash.Seed, config *media.Config, unit []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.Write(config.Record)
	h.WriteByte(0)
	h.Write(unit)
	return h.Sum64()
}

func (p *poison) add(mark uint64) {
	p.marks[p.n%maxPoison] = mark
	p.n++
}

func (p *poison) has(mark uint64) bool {
	return slices.Contains(p.marks[:min(p.n, maxPoison)], mark)
}

// backoff makes the tries of a stream rarer whose inputs kill workers, or cost
// much and never give a picture. The zero value is none.
type backoff struct {
	level int
	good  int // shots in a row
}

// failed returns how many due times are passed over.
func (b *backoff) failed() int64 {
	n := int64(1) << b.level
	b.level, b.good = min(b.level+1, maxBackoff), 0
	return n
}

func (b *backoff) succeeded() {
	if b.level == 0 {
		return
	}
	if b.good++; b.good == forgiven {
		b.level, b.good = b.level-1, 0
	}
}
