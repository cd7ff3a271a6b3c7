//go:build unix && !linux

package rtmp

import "errors"

// setLowWater is for Linux: elsewhere the mark also holds back what is there
// from a read, or is not minded at all.
func setLowWater(uintptr, int) error { return errors.ErrUnsupported }
