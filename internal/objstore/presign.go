package objstore

import (
	"time"

	"github.com/stillcast/stillcast"
)

// Lifetimes that a presigned URL can have, those of AWS Signature Version 4.
const (
	MinLifetime = time.Second
	MaxLifetime = 7 * 24 * time.Hour
)

// ValidateLifetime returns a [stillcast.Error] unless a presigned URL can have
// that lifetime, in whole seconds.
func ValidateLifetime(lifetime time.Duration) error {
	if lifetime < MinLifetime || lifetime > MaxLifetime || lifetime%time.Second != 0 {
		return stillcast.Errorf(stillcast.CodeInvalid, "lifetime", "is %s; a presigned URL lives for whole seconds, %s to %s",
			lifetime, MinLifetime, MaxLifetime)
	}
	return nil
}
