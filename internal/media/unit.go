package media

import (
	"errors"
	"fmt"
)

var (
	// ErrTooLarge says that a picture has more pixels than are allowed. The
	// errors that wrap it name the size.
	ErrTooLarge = errors.New("picture is too large")
	// ErrBroken says that bytes do not have the structure of their codec. The
	// errors that wrap it name what is wrong.
	ErrBroken = errors.New("damaged video")
)

func broken(format string, a ...any) error {
	return fmt.Errorf("%w: %w", ErrBroken, fmt.Errorf(format, a...))
}

// checkSize refuses a picture of more than maxPixels pixels. It computes in 64
// bits, so that no size overflows it.
func checkSize(c Codec, width, height uint64, maxPixels int) error {
	limit := uint64(max(maxPixels, 0)) //nolint:gosec // not negative
	if width > limit || height > limit || width*height > limit {
		return fmt.Errorf("%w: %s picture of %dx%d pixels; at most %d pixels are allowed", ErrTooLarge, c, width, height, maxPixels)
	}
	return nil
}

// CheckUnit looks through an access unit before a decoder sees it. It refuses
// what is not whole in structure, and parameter sets and frame headers in it
// that ask for a picture of more than maxPixels pixels before cropping, because
// that is what a decoder must allocate. The error wraps [ErrBroken] or
// [ErrTooLarge]. Coded picture data itself is not looked at.
func CheckUnit(config *Config, data []byte, maxPixels int) error {
	if len(data) == 0 {
		return broken("access unit is empty")
	}
	switch config.Codec {
	case H264:
		return checkH264(config, data, maxPixels)
	case HEVC:
		return checkHEVC(config, data, maxPixels)
	case AV1:
		return checkAV1(config, data, maxPixels)
	case VP9:
		return checkVP9(data, maxPixels)
	case VP8:
		return checkVP8(data, maxPixels)
	}
	return broken("access unit is of no known codec")
}

// StartKind says whether and how decoding can start at an access unit.
type StartKind uint8

// The kinds.
const (
	// StartNone: decoding cannot start here.
	StartNone StartKind = iota
	// StartKey: this picture, and all that are shown after it, can be decoded
	// without what came before (IDR, CRA, BLA, key frame).
	StartKey
	// StartRecovery: decoding can start here; pictures are right after
	// Start.Frames further ones (recovery point).
	StartRecovery
	// StartIntra: this picture can be decoded alone, but later ones may need
	// what came before it (a non-IDR picture of I slices only).
	StartIntra
)

// Start is how decoding can start at an access unit.
type Start struct {
	Kind StartKind
	// Frames is how many pictures follow, in decoding order, until one is
	// right; 0 when this one is. For HEVC it is a distance in picture order,
	// which is as many pictures unless their order skips numbers.
	Frames int
	// Open says that pictures which are decoded after this one but shown before
	// it may need earlier ones: decoders that start here leave them out, or show
	// them damaged ("open GOP").
	Open bool
}

// StartOf returns how decoding can start at an access unit, given config and
// nothing else of the stream. An access unit whose structure is broken, or whose
// parameter sets are neither in it nor in config, is no start.
func StartOf(config *Config, data []byte) Start {
	switch config.Codec {
	case H264:
		return startH264(config, data)
	case HEVC:
		return startHEVC(config, data)
	case AV1:
		return startAV1(config, data)
	case VP9:
		return startVP9(data)
	case VP8:
		return startVP8(data)
	}
	return Start{}
}

// Disposable reports whether nothing refers to the picture of an access unit,
// so that leaving it out changes no other picture, not by one bit. False is
// always safe: it is also the answer for what is broken, and for VP9, where the
// next frame takes motion vectors and probabilities even from a frame that no
// frame refers to.
func Disposable(config *Config, data []byte) bool {
	switch config.Codec {
	case H264:
		return disposableH264(config, data)
	case HEVC:
		return disposableHEVC(config, data)
	case AV1:
		return disposableAV1(config, data)
	case VP8:
		return disposableVP8(data)
	}
	return false
}
