package codec

import "github.com/stillcast/stillcast"

// PictureSize returns the size of the picture that is made of a source of a size,
// by the rules of [Pool.Shoot], where a size is wanted.
func PictureSize(source, wanted stillcast.Size) stillcast.Size {
	made := size{width: source.Width, height: source.Height}.fit(wanted)
	return stillcast.Size{Width: made.width, Height: made.height}
}
