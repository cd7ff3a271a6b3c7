package media

import "time"

// Unroller turns the wrapping 32-bit millisecond timestamps of RTMP and FLV
// into times that never wrap. The zero value is ready; its first timestamp
// stands for itself.
//
// Publishers wrap at 2^32 ms as the specification says, or at 2^31 ms as FFmpeg
// does (FLV's timestamps have 31 bits in effect). Steps are therefore taken
// modulo 2^31 and with a sign: both wraps come out as the small step that they
// are, and a step of up to 12 days in either direction is kept as it is.
type Unroller struct {
	last    uint32
	total   int64 // in milliseconds, of last
	started bool
}

// Unroll returns the time of timestamp and goes on from there.
func (u *Unroller) Unroll(timestamp uint32) time.Duration {
	u.total = u.millis(timestamp)
	u.last, u.started = timestamp, true
	return time.Duration(u.total) * time.Millisecond
}

// At returns the time of timestamp as [Unroller.Unroll] does, and changes
// nothing.
func (u *Unroller) At(timestamp uint32) time.Duration {
	return time.Duration(u.millis(timestamp)) * time.Millisecond
}

func (u *Unroller) millis(timestamp uint32) int64 {
	if !u.started {
		return int64(timestamp)
	}
	step := int32((timestamp-u.last)<<1) >> 1 //nolint:gosec // modulo 2^31, with the sign
	return u.total + int64(step)
}
