package sqlite

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

// TestBansDoNotPileUp: a ban that has expired goes when another one comes.
func TestBansDoNotPileUp(t *testing.T) {
	s := newStore(t)
	for _, name := range []string{"a", "b", "c"} {
		stream := stillcast.Stream{Domain: "push.example.com", App: "live", Name: name}
		check(t, s.PutBan(t.Context(), stillcast.Ban{Stream: stream, Until: time.Now().Add(-time.Hour)}))
	}
	if n := number(t, s, "SELECT count(*) FROM ban"); n != 1 {
		t.Errorf("%d bans are kept, of which all have expired", n)
	}
}
