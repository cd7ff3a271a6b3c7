package media_test

import (
	"fmt"
	"testing"

	"github.com/stillcast/stillcast/internal/media"
)

// av1Record is what SVT-AV1 in FFmpeg 5.1 made for 320x180 pixels.
const av1Record = "81000c000a0b000000043cfecc02f80040"

// bytes returns the bits as they are, with zeros up to a whole byte.
func (b *bits) bytes() []byte {
	s := b.s.String()
	for len(s)%8 != 0 {
		s += "0"
	}
	var out []byte
	for i := 0; i < len(s); i += 8 {
		var c byte
		for _, d := range s[i : i+8] {
			c = c<<1 | byte(d-'0')
		}
		out = append(out, c)
	}
	return out
}

// number writes v in n bits.
func (b *bits) number(v uint64, n int) { b.raw(fmt.Sprintf("%0*b", n, v)) }

func obu(kind byte, payload []byte) []byte {
	return append([]byte{kind<<3 | 2, byte(len(payload))}, payload...)
}

// av1Sequence is a sequence header OBU with sizes of 16 bits, and order hints of
// 7 bits.
func av1Sequence(width, height uint64) []byte {
	var b bits
	b.raw("000" + "0" + "0") // profile, still picture, reduced
	b.raw("0" + "0")         // no timing, no display delay
	b.number(0, 5)           // one operating point
	b.number(0, 12+5)
	av1SequenceTail(&b, width, height)
	return obu(1, b.bytes())
}

// av1ModelSequence has what few encoders write: timing, a decoder model, a
// display delay, two operating points with a tier, and frame numbers.
func av1ModelSequence(width, height uint64) []byte {
	var b bits
	b.raw("000" + "0" + "0")
	b.raw("1") // timing
	b.number(1, 32)
	b.number(25, 32)
	b.raw("0")        // not equal
	b.raw("1")        // decoder model
	b.number(9, 5)    // delays of 10 bits
	b.number(1, 32)   //
	b.number(19, 5)   // removal times of 20 bits
	b.number(29, 5)   // presentation times of 30 bits
	b.raw("1")        // display delay
	b.number(1, 5)    // two operating points
	b.number(257, 12) // temporal layer 0, spatial layer 0
	b.number(8, 5)
	b.raw("1" + "1")
	b.number(0, 10+10+1)
	b.raw("1")
	b.number(3, 4)
	b.number(2<<8|2, 12) // temporal layer 1, spatial layer 1
	b.number(1, 5)
	b.raw("1")
	b.number(0, 10+10+1)
	b.raw("0")
	av1SequenceTail(&b, width, height)
	return obu(1, b.bytes())
}

func av1SequenceTail(b *bits, width, height uint64) {
	b.raw("1111" + "1111")
	b.number(width-1, 16)
	b.number(height-1, 16)
	b.raw("0")        // no frame numbers
	b.raw("000")      //
	b.raw("0000")     //
	b.raw("1" + "00") // order hints
	b.raw("1" + "1")  // screen content tools, integer motion vectors: each frame says
	b.raw("110")      // 7 bits
	b.raw("000")
}

// av1KeyFrame is a key frame of a size of its own.
func av1KeyFrame(width, height uint64) []byte {
	var b bits
	b.raw("0" + "00" + "1") // not existing, key, shown
	b.raw("0" + "0" + "1")  // CDF, no screen content tools, size override
	b.number(5, 7)
	b.number(width-1, 16)
	b.number(height-1, 16)
	return obu(6, b.bytes())
}

// av1Inter is an inter frame that replaces the references in refresh. Its size
// is that of the sequence, or its own with override.
func av1Inter(refresh uint64, width, height uint64) []byte {
	var b bits
	b.raw("0" + "01" + "1" + "0") // not existing, inter, shown, not resilient
	b.raw("0" + "1" + "1")        // CDF, screen content tools, integer motion vectors
	if width > 0 {
		b.raw("1")
	} else {
		b.raw("0")
	}
	b.number(5, 7)
	b.raw("010") // primary reference
	b.number(refresh, 8)
	b.raw("1" + "001" + "010") // short signalling
	if width > 0 {
		b.raw("0000000") // not the size of a reference
		b.number(width-1, 16)
		b.number(height-1, 16)
	}
	b.number(0, 16)
	return obu(6, b.bytes())
}

// av1ModelKey is a hidden key frame, or a shown one, of av1ModelSequence.
func av1ModelKey(shown bool) []byte {
	var b bits
	b.raw("0" + "00")
	if shown {
		b.raw("1")
		b.number(1, 30) // presentation time
	} else {
		b.raw("0" + "1" + "0") // showable, not resilient
	}
	b.raw("0" + "0" + "0") // CDF, screen content tools, no size override
	b.number(5, 7)
	b.raw("1") // removal times
	b.number(1, 20)
	if !shown {
		b.number(0x0f, 8) // refresh
	}
	return append([]byte{6<<3 | 4 | 2, 0, byte(len(b.bytes()))}, b.bytes()...)
}

func TestUnitsOfAV1(t *testing.T) {
	sequence := av1Sequence(320, 180)
	withRecord := config(t, media.AV1, append([]byte{0x81, 0, 0, 0}, sequence...))
	without := config(t, media.AV1, nil)
	if withRecord.Width != 320 || withRecord.Height != 180 {
		t.Errorf("size by the record %dx%d", withRecord.Width, withRecord.Height)
	}
	model := config(t, media.AV1, append([]byte{0x81, 0, 0, 0}, av1ModelSequence(640, 360)...))
	if model.Width != 640 || model.Height != 360 {
		t.Errorf("size by the record with a decoder model %dx%d", model.Width, model.Height)
	}
	delimiter := obu(2, nil)
	key := av1KeyFrame(320, 180)
	existing := obu(3, []byte{0x80})
	join := func(obus ...[]byte) (out []byte) {
		for _, o := range obus {
			out = append(out, o...)
		}
		return out
	}
	started := media.Start{Kind: media.StartKey}
	tests := []struct {
		name       string
		config     *media.Config
		data       []byte
		start      media.Start
		disposable bool
	}{
		{"key frame with its sequence header", without, join(delimiter, sequence, key), started, false},
		{"key frame, sequence header in the record", withRecord, key, started, false},
		{"key frame without a sequence header", without, key, media.Start{}, false},
		{"last OBU without a size", withRecord, append([]byte{6 << 3}, key[2:]...), started, false},
		{"inter frame", withRecord, av1Inter(4, 0, 0), media.Start{}, false},
		{"inter frame that stays", withRecord, av1Inter(0, 0, 0), media.Start{}, true},
		{"inter frame that stays, of a size of its own", withRecord, av1Inter(0, 1024, 1024), media.Start{}, true},
		{"inter frame without a sequence header", without, av1Inter(0, 0, 0), media.Start{}, false},
		{"two frames of which one stays", withRecord, join(av1Inter(0, 0, 0), av1Inter(1, 0, 0)), media.Start{}, false},
		{"inter frame before a key frame", withRecord, join(av1Inter(1, 0, 0), key), media.Start{}, false},
		{"sequence header and a frame that stays", without, join(sequence, av1Inter(0, 0, 0)), media.Start{}, false},
		{"existing frame", withRecord, existing, media.Start{}, false},
		{"key frame of a decoder model", model, av1ModelKey(true), started, false},
		{"hidden key frame", model, av1ModelKey(false), media.Start{}, false},
		{"no frame", withRecord, delimiter, media.Start{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkUnit(t, tt.config, tt.data, tt.start, tt.disposable)
		})
	}
}
