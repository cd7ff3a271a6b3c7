package stillcast

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Accuracy says which frame a shot is of.
type Accuracy string

// The accuracies; "" in a template means [AccuracyKeyframe], and for a [Task]
// [AccuracyExact].
const (
	AccuracyKeyframe Accuracy = "keyframe" // the key frame nearest to the due time
	AccuracyExact    Accuracy = "exact"    // the frame on display at the due time
)

// Format is the file format of a picture.
type Format string

// The formats; "" in a template means [FormatJPEG].
const (
	FormatJPEG Format = "jpeg"
	FormatWebP Format = "webp"
)

// Ext is what {Ext} stands for in names of pictures: ".jpg" or ".webp".
func (f Format) Ext() string {
	if f == FormatWebP {
		return ".webp"
	}
	return ".jpg"
}

// ContentType is the media type of a picture, as in HTTP.
func (f Format) ContentType() string {
	if f == FormatWebP {
		return "image/webp"
	}
	return "image/jpeg"
}

// Fit says how a picture gets both sides of a wanted size when its source has
// another shape.
type Fit string

// The fits; "" in a template means [FitStretch].
const (
	FitStretch Fit = "stretch" // every pixel of the source, out of proportion
	FitContain Fit = "contain" // the whole source in proportion, with black bars
	FitCover   Fit = "cover"   // the middle of the source in proportion, no bars
)

// Size is a wanted size in pixels; 0 for a side that follows from the other one
// and the source.
type Size struct {
	Width, Height int
}

// String returns "640x360"; a side that follows is "0".
func (s Size) String() string { return strconv.Itoa(s.Width) + "x" + strconv.Itoa(s.Height) }

// Renditions are the further sizes of a template's pictures; the zero Size ends
// them. An array, so that templates can be compared.
type Renditions [MaxRenditions]Size

// NewRenditions makes Renditions of a list. The error is an [Error] of
// CodeInvalid whose Field begins with "renditions", as in "renditions[2].width".
func NewRenditions(sizes []Size) (Renditions, error) {
	if len(sizes) > MaxRenditions {
		return Renditions{}, Errorf(CodeInvalid, "renditions", "holds %d sizes; at most %d are allowed", len(sizes), MaxRenditions)
	}
	for i, s := range sizes {
		if err := validateRendition(s, i, sizes[:i]); err != nil {
			return Renditions{}, err
		}
	}
	var r Renditions
	copy(r[:], sizes)
	return r, nil
}

// Sizes returns the list that r was made from, without the zero Sizes at its end.
func (r Renditions) Sizes() []Size {
	n := len(r)
	for n > 0 && r[n-1] == (Size{}) {
		n--
	}
	return slices.Clone(r[:n])
}

func validateRendition(s Size, i int, before []Size) error {
	at := fmt.Sprintf("renditions[%d]", i)
	if s == (Size{}) {
		return Errorf(CodeInvalid, at, "has neither width nor height; give one of them or both")
	}
	if err := s.validate(); err != nil {
		return &Error{Code: CodeInvalid, Field: at + "." + err.Field, Message: err.Message}
	}
	if j := slices.Index(before, s); j >= 0 {
		return Errorf(CodeInvalid, at, "is %s, as [%d] is already", s, j)
	}
	return nil
}

func (s Size) validate() *Error {
	switch {
	case s.Width < 0 || s.Width > MaxWidth:
		return Errorf(CodeInvalid, "width", "is %d; allowed are 0 to %d", s.Width, MaxWidth)
	case s.Height < 0 || s.Height > MaxHeight:
		return Errorf(CodeInvalid, "height", "is %d; allowed are 0 to %d", s.Height, MaxHeight)
	}
	return nil
}

// PictureSpec is the wish for one picture of a frame.
type PictureSpec struct {
	Size
	Fit         Fit
	Format      Format
	Quality     int  // 1 to 100
	Progressive bool // of a JPEG
}

// DuplicateDistance is the most bits of [Facts].Hash in which near duplicates
// differ. Measured with 17 photographs and 8 test patterns: a little brighter,
// grainy, or at a ninth of their pixels they move by at most 1 bit, coded very badly by 3; any two
// of them are 12 or more apart, 28 in the middle. A logo or a lower third that appears moves 0 to
// 15 bits.
const DuplicateDistance = 4

// Facts are what is known of a shot beside its picture.
type Facts struct {
	Accuracy  Accuracy      // how the frame was chosen, which is keyframe where exact fell back to it
	Timestamp time.Duration // of the frame in its stream (PTS)
	Age       time.Duration // of the frame at its due time; negative when it arrived later

	Decode, Scale, Encode time.Duration // in the worker

	Luma     float64 // mean of Y', 0 (black) to 255 (white)
	Variance float64 // of Y'
	Black    bool    // (almost) nothing but black
	Solid    bool    // (almost) one colour
	Hash     uint64  // perceptual: pictures that look alike differ in few bits

	Distance  int  // bits of Hash that differ from the shot before, of the same push and rule or task; -1 for the first one
	Duplicate bool // looks like that shot
}
