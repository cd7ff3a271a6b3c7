package codec

import (
	"errors"
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/media"
)

// shoot makes the pictures of a request in this process.
func shoot(r *Request, maxPixels int) (*Result, error) {
	begin := time.Now()
	if err := checkUnits(r, maxPixels); err != nil {
		return nil, err
	}
	frame, err := av.Decode(av.Input{Codec: r.Config.Codec, Record: r.Config.Record, Units: r.Units, First: r.First}, maxPixels)
	if err != nil {
		return nil, err
	}
	defer frame.Close()
	result := &Result{Decode: time.Since(begin), Pictures: make([]Picture, len(r.Pictures))}
	shape := source{coded: size{frame.Width(), frame.Height()}, turned: frame.Turned()}
	shape.num, shape.den = frame.SampleAspect()
	result.SourceWidth, result.SourceHeight = shape.shown().width, shape.shown().height
	// What cannot be made is said before work is done for the rest.
	for _, spec := range r.Pictures {
		if err := shape.shown().fit(spec.Size).check(formatOf(spec), maxPixels); err != nil {
			return nil, err
		}
	}
	if err := result.measure(frame); err != nil {
		return nil, err
	}
	for i, spec := range r.Pictures {
		if err := result.make(i, frame, spec, shape.geometry(spec)); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// checkUnits looks through all that the decoder will see. The errors are about the access units.
func checkUnits(r *Request, maxPixels int) error {
	config, err := media.ParseConfig(r.Config.Codec, r.Config.Record, maxPixels)
	for i := 0; err == nil && i < len(r.Units); i++ {
		err = media.CheckUnit(config, r.Units[i], maxPixels)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, media.ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// measure fills in what the frame looks like.
func (r *Result) measure(frame *av.Frame) error {
	begin := time.Now()
	measures, err := frame.Measure()
	if err != nil {
		return err
	}
	r.Measures = Measures(measures)
	r.Scale += time.Since(begin)
	return nil
}

// make makes a picture of a frame.
func (r *Result) make(i int, frame *av.Frame, spec stillcast.PictureSpec, g av.Geometry) error {
	begin := time.Now()
	picture, err := frame.Picture(g)
	if err != nil {
		return err
	}
	defer picture.Close()
	scaled := time.Now()
	data, err := encode(picture, spec)
	if err != nil {
		return err
	}
	r.Pictures[i] = Picture{Data: data, Width: g.Width, Height: g.Height}
	r.Scale += scaled.Sub(begin)
	r.Encode += time.Since(scaled)
	return nil
}

func encode(picture *av.Picture, spec stillcast.PictureSpec) ([]byte, error) {
	if formatOf(spec) == stillcast.FormatWebP {
		return picture.WebP(spec.Quality)
	}
	return picture.JPEG(av.JPEGOptions{Quality: spec.Quality, Progressive: spec.Progressive})
}
