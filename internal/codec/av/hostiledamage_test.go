package av_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/stillcast/stillcast/internal/codec/av"
)

// damager does to samples what faulty or hostile publishers do.
type damager struct {
	rng *rand.Rand
	all []sample
}

func (d damager) sample() sample { return d.all[d.rng.IntN(len(d.all))] }

// head is how many bytes at the start of a unit or record hold most of its headers.
const head = 48

// damaged is the key frame of a sample, sometimes with what follows it, damaged in one to three ways.
func (d damager) damaged(from sample) av.Input {
	in := av.Input{Codec: from.Codec, Record: slices.Clone(from.Record)}
	count := 1
	if d.rng.IntN(4) == 0 {
		count = 1 + d.rng.IntN(len(from.Units))
	}
	for _, unit := range from.Units[:count] {
		in.Units = append(in.Units, slices.Clone(unit))
	}
	in.First = d.rng.IntN(8) == 0
	for range 1 + d.rng.IntN(3) {
		d.damage(&in)
	}
	return in
}

func (d damager) damage(in *av.Input) {
	at := d.rng.IntN(len(in.Units))
	unit := &in.Units[at]
	switch d.rng.IntN(14) {
	case 0, 1:
		d.flip(*unit, len(*unit), 1+d.rng.IntN(8))
	case 2, 3:
		d.flip(*unit, head, 1+d.rng.IntN(4))
	case 4:
		d.flip(in.Record, len(in.Record), 1+d.rng.IntN(4))
	case 5:
		*unit = (*unit)[:d.rng.IntN(len(*unit)+1)]
	case 6:
		in.Record = in.Record[:d.rng.IntN(len(in.Record)+1)]
	case 7:
		d.overwrite(*unit)
	case 8:
		*unit = d.moved(*unit)
	case 9:
		d.forgeNumber(*unit)
	case 10: // parameter sets of another clip, mostly of the same codec
		in.Record = slices.Clone(d.other(in).Record)
	case 11: // a picture of another clip
		*unit = slices.Clone(d.other(in).Units[0])
	case 12:
		*unit = d.spliced(*unit, d.other(in).Units[0])
	case 13: // another decoder than what was encoded for
		in.Codec = d.sample().Codec
	}
}

// other is another sample, three times of four of the same codec.
func (d damager) other(in *av.Input) sample {
	same := d.rng.IntN(4) > 0
	for {
		if s := d.sample(); !same || s.Codec == in.Codec {
			return s
		}
	}
}

// flip flips bits among the first bytes.
func (d damager) flip(b []byte, most, count int) {
	most = min(most, len(b))
	for range count {
		if most > 0 {
			b[d.rng.IntN(most)] ^= 1 << d.rng.IntN(8)
		}
	}
}

// overwrite fills a run of bytes with others, or all with one.
func (d damager) overwrite(b []byte) {
	if len(b) == 0 {
		return
	}
	start := d.rng.IntN(len(b))
	run := b[start:min(len(b), start+1+d.rng.IntN(256))]
	value, same := byte(d.rng.Uint32()), d.rng.IntN(2) == 0
	for i := range run {
		if run[i] = value; !same {
			run[i] = byte(d.rng.Uint32())
		}
	}
}

// moved takes a run out of a unit and puts it elsewhere, or twice there.
func (d damager) moved(b []byte) []byte {
	if len(b) < 2 {
		return b
	}
	start := d.rng.IntN(len(b) - 1)
	run := slices.Clone(b[start:min(len(b), start+1+d.rng.IntN(512))])
	rest := slices.Clone(b)
	if d.rng.IntN(2) == 0 {
		rest = slices.Delete(rest, start, start+len(run))
	}
	return slices.Insert(rest, d.rng.IntN(len(rest)+1), run...)
}

// forgeNumber writes a large or small number where lengths and sizes stand: the width and height of VP8 and VP9, the
// lengths of NAL units and OBUs.
func (d damager) forgeNumber(b []byte) {
	width := 2 + 2*d.rng.IntN(2)
	if len(b) < width {
		return
	}
	at := b[d.rng.IntN(min(head, len(b)-width+1)):]
	value := uint32(1)<<d.rng.IntN(32) - uint32(d.rng.IntN(3))
	switch order := d.rng.IntN(2); {
	case width == 4 && order == 0:
		binary.BigEndian.PutUint32(at, value)
	case width == 4:
		binary.LittleEndian.PutUint32(at, value)
	case order == 0:
		binary.BigEndian.PutUint16(at, uint16(value))
	default:
		binary.LittleEndian.PutUint16(at, uint16(value))
	}
}

// spliced is the start of one picture with the end of another.
func (d damager) spliced(a, b []byte) []byte {
	return slices.Concat(a[:d.rng.IntN(len(a)+1)], b[d.rng.IntN(len(b)):])
}
