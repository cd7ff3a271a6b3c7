package stillcast

import "time"

// Accuracy says which frame a shot is of.
type Accuracy string

// The accuracies; "" in a template means [AccuracyKeyframe].
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

// Renditions are the further sizes of a template's pictures; the zero Size ends
// them. An array, so that templates can be compared.
type Renditions [MaxRenditions]Size

// PictureSpec is the wish for one picture of a frame.
type PictureSpec struct {
	Size
	Fit         Fit
	Format      Format
	Quality     int  // 1 to 100
	Progressive bool // of a JPEG
}

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

	Distance  int  // bits of Hash that differ from the push's shot before; -1 for the first one
	Duplicate bool // looks like the push's shot before
}
