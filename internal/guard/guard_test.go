package guard_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/guard"
)

func TestPausesDouble(t *testing.T) {
	now := time.Now()
	g := guard.New[string](3, func() time.Time { return now })
	waits := func(want time.Duration) {
		t.Helper()
		if got := g.Wait("a"); got != want {
			t.Fatalf("must wait %s, want %s", got, want)
		}
	}
	for range 2 {
		g.Failed("a")
		waits(0)
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		g.Failed("a")
		waits(want * time.Second)
	}
	if wait := g.Wait("b"); wait != 0 {
		t.Errorf("another must wait %s", wait)
	}
	now = now.Add(59 * time.Second)
	waits(time.Second)
	now = now.Add(time.Second)
	waits(0)
	g.Failed("a")
	waits(time.Minute)
	g.Passed("a")
	waits(0)
	g.Failed("a")
	waits(0)
}

func TestFailuresAreForgotten(t *testing.T) {
	now := time.Now()
	g := guard.New[string](2, func() time.Time { return now })
	g.Failed("a")
	now = now.Add(11 * time.Minute)
	g.Failed("a")
	if wait := g.Wait("a"); wait != 0 {
		t.Errorf("must wait %s for a failure of long ago", wait)
	}
}

func TestRemembersABoundedNumber(t *testing.T) {
	g := guard.New[int](1, time.Now)
	for i := range 2 * guard.MaxFaces {
		g.Failed(i)
		if n := g.Len(); n > guard.MaxFaces {
			t.Fatalf("%d are remembered, want at most %d", n, guard.MaxFaces)
		}
	}
	if g.Wait(2*guard.MaxFaces-1) == 0 {
		t.Error("the newest is not remembered")
	}
}

func TestNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80":                "192.0.2.1/32",
		"[::ffff:192.0.2.1]:80":       "192.0.2.1/32",
		"[2001:db8:1:2:3:4:5:6]:80":   "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":           "fe80::/64",
		"@":                           "invalid Prefix",
		"stillcast.example.com:8080 ": "invalid Prefix",
	} {
		if got := guard.Network(&http.Request{RemoteAddr: remote}); got.String() != want {
			t.Errorf("%s is of %s, want %s", remote, got, want)
		}
	}
	if got := guard.NetworkOf(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is of %s", got)
	}
}
