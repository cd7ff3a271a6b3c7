package capture

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/media"
)

// afterJump is what time.Now would return at t had the machine's clock been set by
// so much before: another wall time, the same monotonic one.
func afterJump(t time.Time, by time.Duration) time.Time {
	const monotonic, second = 1 << 63, 1 << 30 // in the first word of a time.Time, see its source
	word := (*uint64)(unsafe.Pointer(&t))
	if *word&monotonic == 0 {
		panic("the time has no monotonic reading")
	}
	*word += uint64(int64(by/time.Second) * second)
	return t
}

// decisions is what becomes of a minute of frames, a key frame each second, on a
// machine whose clock is ahead by clock(i) at frame i: which are taken, and for
// which due time; and when each is shown, for exact shots.
func decisions(base time.Time, clock func(i int) time.Duration) (all []string) {
	const rate = 25
	s := schedule{interval: 2 * time.Second}
	var keys rhythm
	var line timeline
	for i := range 60 * rate {
		at := time.Duration(i) * time.Second / rate
		now := afterJump(base.Add(at), clock(i))
		shown, bound := line.place(media.Unit{DTS: at, PTS: at}, now)
		all = append(all, fmt.Sprintf("%s shown %s bound %s", at, shown.Sub(base), bound.Sub(base)))
		if i%rate != 0 {
			continue
		}
		keys.observe(now)
		if p, ok := s.nearest(now, keys.every); ok {
			s.take(p)
			all = append(all, fmt.Sprintf("%s taken for %s, %d passed", at, p.due.Sub(base), p.passed))
		}
	}
	return all
}

// The machine's clock jumps by an hour, back and forth: which frames are taken, and
// for which due times, is as if it had not.
func TestClockJumps(t *testing.T) {
	base := time.Now()
	steady := decisions(base, func(int) time.Duration { return 0 })
	if n := len(steady) - 60*25; n != 30 {
		t.Fatalf("%d shots of a minute, want one each two seconds", n)
	}
	for name, clock := range map[string]func(i int) time.Duration{
		"back":           func(i int) time.Duration { return -time.Hour * time.Duration(i/700) },
		"ahead":          func(i int) time.Duration { return time.Hour * time.Duration(i/700) },
		"back and forth": func(i int) time.Duration { return time.Hour * time.Duration(i/100%3-1) },
	} {
		if diff := cmp.Diff(steady, decisions(base, clock)); diff != "" {
			t.Errorf("%s (-steady clock +jumping):\n%s", name, diff)
		}
	}
}
