// Package exif writes into finished pictures when and of which stream they were
// taken, in the way of cameras (Exif 2.32, CIPA DC-008-2019), so that it stays
// with the picture wherever it goes. The picture itself is left alone.
package exif

import (
	"time"
	"unicode/utf8"

	"github.com/stillcast/stillcast"
)

// maxText is the longest text of a field in bytes, far above that of a stream's name and within what a JPEG's
// segment holds.
const maxText = 1024

// Fields is what is written. What is zero is left out.
type Fields struct {
	Captured time.Time        // to the millisecond, shown in its own time zone; DateTimeOriginal
	Stream   stillcast.Stream // "domain/app/name"; ImageDescription
	Software string           // the program that took the picture, with its version
}

// Insert returns a copy of a picture that holds the fields. Pictures are those
// that our encoders make: a JPEG, or a lossy WebP without metadata of its own.
// Errors are of type [stillcast.Error], with the code CodeInvalid.
func Insert(picture []byte, format stillcast.Format, f Fields) ([]byte, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	switch format {
	case stillcast.FormatJPEG, "":
		return insertJPEG(picture, f)
	case stillcast.FormatWebP:
		return insertWebP(picture, f)
	}
	return nil, stillcast.Errorf(stillcast.CodeInvalid, "format", "is %q; allowed are %q and %q", format, stillcast.FormatJPEG, stillcast.FormatWebP)
}

func (f Fields) validate() error {
	if year := f.Captured.Year(); !f.Captured.IsZero() && (year < 1 || year > 9999) {
		return stillcast.Errorf(stillcast.CodeInvalid, "captured", "is in the year %d; allowed are 1 to 9999", year)
	}
	if f.Stream != (stillcast.Stream{}) {
		if err := validateText("stream", f.Stream.String()); err != nil {
			return err
		}
	}
	return validateText("software", f.Software)
}

func validateText(field, text string) error {
	if len(text) > maxText {
		return stillcast.Errorf(stillcast.CodeInvalid, field, "is %d bytes long; at most %d are allowed", len(text), maxText)
	}
	if !utf8.ValidString(text) {
		return stillcast.Errorf(stillcast.CodeInvalid, field, "is not valid UTF-8")
	}
	for _, r := range text {
		if r < 0x20 || r == 0x7f {
			return stillcast.Errorf(stillcast.CodeInvalid, field, "holds the control character %U", r)
		}
	}
	return nil
}

func invalidPicture(format string, args ...any) error {
	return stillcast.Errorf(stillcast.CodeInvalid, "picture", format, args...)
}
