package codectest

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/stillcast/stillcast/internal/media"
)

// Bomb is a key frame of an ordinary size whose SPS says another one, in pixels,
// of which visible×visible are left after cropping (0 for all). With inBand
// the decoder configuration is honest and SPS and PPS come with the picture.
func Bomb(t testing.TB, width, height, visible int, inBand bool) Clip {
	t.Helper()
	clip := Make(t, "testsrc2=size=1280x720", 1, "-profile:v", "baseline")
	record, err := media.ParseAVCRecord(clip.Config.Record)
	if err != nil {
		t.Fatal(err)
	}
	sps := resized(t, record.SPS[0], width, height, visible)
	if inBand {
		// The decoder holds on to the SPS that it knew when it read a PPS.
		var unit []byte
		for _, nalu := range [][]byte{sps, record.PPS[0]} {
			unit = append(binary.BigEndian.AppendUint32(unit, uint32(len(nalu))), nalu...)
		}
		return clip.WithUnit(append(unit, clip.Units[0]...))
	}
	config := *clip.Config
	config.Record = avcRecord(sps, record.PPS[0])
	clip.Config = &config
	return clip
}

func avcRecord(sps, pps []byte) []byte {
	b := []byte{1, sps[1], sps[2], sps[3], 0xff, 0xe1}
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(sps))), sps...)
	b = binary.BigEndian.AppendUint16(append(b, 1), uint16(len(pps)))
	return append(b, pps...)
}

// resized writes an SPS of the baseline profile anew (ITU-T H.264, 7.3.2.1.1).
func resized(t testing.TB, original []byte, width, height, visible int) []byte {
	t.Helper()
	var sps h264.SPS
	if err := sps.Unmarshal(original); err != nil {
		t.Fatal(err)
	}
	if sps.ProfileIdc != 66 || sps.PicOrderCntType != 2 && sps.PicOrderCntType != 0 {
		t.Fatalf("SPS has profile %d and picture order count type %d", sps.ProfileIdc, sps.PicOrderCntType)
	}
	w := &bitWriter{bytes: slices.Clone(original[:3])}
	w.bits(62, 8) // level 6.2
	w.ue(uint(sps.ID))
	w.ue(uint(sps.Log2MaxFrameNumMinus4))
	w.ue(uint(sps.PicOrderCntType))
	if sps.PicOrderCntType == 0 {
		w.ue(uint(sps.Log2MaxPicOrderCntLsbMinus4))
	}
	w.ue(uint(sps.MaxNumRefFrames))
	w.bits(0, 1) // no gaps in frame_num
	w.ue(uint(width/16 - 1))
	w.ue(uint(height/16 - 1))
	w.bits(0b11, 2) // frames only, direct_8x8_inference
	if visible == 0 {
		w.bits(0, 1)
	} else {
		w.bits(1, 1)
		for _, cut := range []int{0, width - visible, 0, height - visible} {
			w.ue(uint(cut / 2))
		}
	}
	w.bits(0, 1) // no VUI
	w.bits(1, 1) // rbsp_stop_one_bit
	return h264EmulationPrevention(w.aligned())
}

// h264EmulationPrevention keeps start codes out of a NAL unit (ITU-T H.264, 7.4.1).
func h264EmulationPrevention(nalu []byte) []byte {
	var out []byte
	zeros := 0
	for _, b := range nalu {
		if zeros >= 2 && b <= 3 {
			out, zeros = append(out, 3), 0
		}
		if out = append(out, b); b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}

type bitWriter struct {
	bytes []byte
	part  uint // the bits of an unfinished byte
	count int  // of those
}

func (w *bitWriter) bits(value uint, count int) {
	for i := count - 1; i >= 0; i-- {
		w.part = w.part<<1 | value>>i&1
		if w.count++; w.count == 8 {
			w.bytes = append(w.bytes, byte(w.part))
			w.part, w.count = 0, 0
		}
	}
}

// ue writes an Exp-Golomb code (ITU-T H.264, 9.1).
func (w *bitWriter) ue(value uint) {
	length := 0
	for v := value + 1; v > 1; v >>= 1 {
		length++
	}
	w.bits(0, length)
	w.bits(value+1, length+1)
}

func (w *bitWriter) aligned() []byte {
	for w.count != 0 {
		w.bits(0, 1)
	}
	return w.bytes
}
