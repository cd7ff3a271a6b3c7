package codec

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/media"
)

// MaxPictures is the most pictures of one request: a shot's own, its renditions, and
// one to look at beside them.
const MaxPictures = 2 + stillcast.MaxRenditions

// Request is the wish for pictures of one frame.
type Request struct {
	Config *media.Config
	// Units are the access units in decoding order, as in media.AccessUnit.Data.
	// Decoding can start at the first one.
	Units [][]byte
	// First asks for the first picture that the decoder gives, for streams
	// whose first units give none; otherwise the picture is that of the last unit.
	First bool
	// Pictures are the pictures that are wanted of that frame, 1 to
	// [MaxPictures]. Where a wanted size is upright and the frame is not, width and height
	// are swapped. Their Fit and Format may be "", which are the words' defaults.
	Pictures []stillcast.PictureSpec
}

// Result is what was made of a request.
type Result struct {
	Pictures                  []Picture // as Request.Pictures
	SourceWidth, SourceHeight int       // of the frame as it is shown: cropped, of square pixels, upright
	Measures                  Measures
	Decode, Scale, Encode     time.Duration // of all pictures together; measuring counts as scaling
	Worker                    int           // process id of the worker
}

// Picture is an encoded picture.
type Picture struct {
	Data          []byte
	Width, Height int // in pixels
}

// Measures are what a frame looks like. They are a worker's word: in range, but not recomputed.
type Measures struct {
	Luma     float64 // mean of Y', 0 to 255
	Variance float64 // of Y'
	Black    bool    // (almost) nothing but black
	Solid    bool    // (almost) one colour
	Hash     uint64  // perceptual
}

// Supported reports whether shots can be taken of streams in a codec.
func Supported(c media.Codec) bool { return av.Supported(c) }

// check reports what no worker need be asked for.
func (r *Request) check(limits limits) error {
	switch {
	case r.Config == nil:
		return errors.New("codec request has no decoder configuration")
	case !Supported(r.Config.Codec):
		return fmt.Errorf("%w: codec %s", ErrUnsupported, r.Config.Codec)
	case len(r.Pictures) < 1 || len(r.Pictures) > MaxPictures:
		return fmt.Errorf("codec request has %d pictures; allowed are 1 to %d", len(r.Pictures), MaxPictures)
	case len(r.Config.Record) > media.MaxRecord:
		return fmt.Errorf("%w: a decoder configuration of %d bytes; at most %d are allowed", ErrTooLarge, len(r.Config.Record), media.MaxRecord)
	case len(r.Units) == 0:
		return fmt.Errorf("%w: no access unit was given", ErrNoPicture)
	case len(r.Units) > maxUnits:
		return fmt.Errorf("%w: %d access units; at most %d are allowed", ErrTooLarge, len(r.Units), maxUnits)
	}
	for _, spec := range r.Pictures {
		if err := checkSpec(spec); err != nil {
			return err
		}
	}
	return r.checkBytes(limits)
}

func checkSpec(spec stillcast.PictureSpec) error {
	switch {
	case !slices.Contains(fits, fitOf(spec)):
		return fmt.Errorf("codec request has fit %q; allowed are %q", spec.Fit, fits)
	case !slices.Contains(formats, formatOf(spec)):
		return fmt.Errorf("codec request has format %q; allowed are %q", spec.Format, formats)
	case spec.Quality < 1 || spec.Quality > 100:
		return fmt.Errorf("codec request has quality %d; allowed are 1 to 100", spec.Quality)
	case spec.Width < 0 || spec.Width > av.MaxSide || spec.Height < 0 || spec.Height > av.MaxSide:
		return fmt.Errorf("codec request has size %dx%d; allowed are 0 to %d on each side", spec.Width, spec.Height, av.MaxSide)
	}
	return nil
}

// The fits and formats in the order of their numbers in the protocol. The first of each is the default.
//
//nolint:gochecknoglobals // constant tables
var (
	fits    = []stillcast.Fit{stillcast.FitStretch, stillcast.FitContain, stillcast.FitCover}
	formats = []stillcast.Format{stillcast.FormatJPEG, stillcast.FormatWebP}
)

func fitOf(spec stillcast.PictureSpec) stillcast.Fit {
	if spec.Fit == "" {
		return stillcast.FitStretch
	}
	return spec.Fit
}

func formatOf(spec stillcast.PictureSpec) stillcast.Format {
	if spec.Format == "" {
		return stillcast.FormatJPEG
	}
	return spec.Format
}

func (r *Request) checkBytes(limits limits) error {
	total := 0
	for _, unit := range r.Units {
		total += len(unit)
	}
	if total > limits.unitBytes {
		return fmt.Errorf("%w: access units of %d bytes; at most %d are allowed", ErrTooLarge, total, limits.unitBytes)
	}
	source := size{width: r.Config.Width, height: r.Config.Height}
	if source.width*source.height > limits.pixels {
		return fmt.Errorf("%w: a stream of %s pixels; at most %d pixels are allowed", ErrTooLarge, source, limits.pixels)
	}
	return nil
}
