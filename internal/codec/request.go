package codec

import (
	"errors"
	"fmt"
	"time"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/media"
)

// Request is the wish for one picture.
type Request struct {
	Config *media.Config
	// Units are the access units in decoding order, as in media.AccessUnit.Data.
	// The first one is a key frame; the picture is that of the last one to be shown.
	Units [][]byte
	// Width and Height are the size of the JPEG in pixels, 0 for a side that
	// follows from the other one and the source. Where one is upright and the source is not,
	// they are swapped.
	Width, Height int
	// Quality is that of the JPEG, 1 to 100.
	Quality int
}

// Picture is a JPEG and how it came about.
type Picture struct {
	JPEG                      []byte
	Width, Height             int // of the JPEG, in pixels
	SourceWidth, SourceHeight int // of the source as it is shown: cropped, of square pixels
	Decode, Scale, Encode     time.Duration
	Worker                    int // process id of the worker
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
	case r.Quality < 1 || r.Quality > 100:
		return fmt.Errorf("codec request has quality %d; allowed are 1 to 100", r.Quality)
	case r.Width < 0 || r.Width > av.MaxSide || r.Height < 0 || r.Height > av.MaxSide:
		return fmt.Errorf("codec request has size %dx%d; allowed are 0 to %d on each side", r.Width, r.Height, av.MaxSide)
	case len(r.Config.Record) > media.MaxRecord:
		return fmt.Errorf("%w: a decoder configuration of %d bytes; at most %d are allowed", ErrTooLarge, len(r.Config.Record), media.MaxRecord)
	case len(r.Units) == 0:
		return fmt.Errorf("%w: no access unit was given", ErrNoPicture)
	case len(r.Units) > maxUnits:
		return fmt.Errorf("%w: %d access units; at most %d are allowed", ErrTooLarge, len(r.Units), maxUnits)
	}
	return r.checkBytes(limits)
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
