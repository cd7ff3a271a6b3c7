package av

/*
#include "measure.h"
*/
import "C"

// Measures say what a frame looks like. Luma is Y' in JPEG's full range, 0 to
// 255, whatever the colours of the stream are. The frame is measured by 64×64
// equal parts of it, whose shape follows the frame's.
type Measures struct {
	Luma     float64 // mean
	Variance float64 // of luma
	// Black says that 99 of 100 parts have a mean luma of at most 20, which is as
	// good as black on a screen, and no colour. Noise does not lighten a part; a station's logo in a
	// corner or a clock is within the hundredth, what is shown in the middle is not.
	Black bool
	// Solid says that the colours of 99 of 100 parts differ by at most 5 from the
	// one in the middle, and that inside of the parts there is grain at most: no fine
	// pattern, no text. Black frames mostly are so too.
	Solid bool
	// Hash is perceptual: which of the 8×8 longest waves of the picture stand out.
	// Pictures that look alike differ in few bits (see stillcast.DuplicateDistance), others in 12 to
	// 40. It knows nothing of brightness: pictures of any one colour have the hash 0.
	Hash uint64
}

// Measure measures the frame as it is shown, before any cropping; a fraction of
// what encoding it costs. Errors are of type [*Error].
func (f *Frame) Measure() (Measures, error) {
	picture, err := f.Picture(Geometry{Width: C.sc_cells, Height: C.sc_cells})
	if err != nil {
		return Measures{}, err
	}
	defer picture.Close()
	var m C.sc_measures
	if err := check("measure a frame", C.sc_measure(&m, f.upright, picture.picture)); err != nil {
		return Measures{}, err
	}
	return Measures{
		Luma: float64(m.mean), Variance: float64(m.variance),
		Black: m.black != 0, Solid: m.solid != 0, Hash: uint64(m.hash),
	}, nil
}
