package ingest

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
)

func from(addr string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(addr), 1000) }

func TestSlowdownGrowsAndDecays(t *testing.T) {
	s, now := newSlowdown(5*time.Second), time.Now()
	for i, want := range []time.Duration{100, 200, 400, 800, 1600, 3200, 5000, 5000} {
		if got := s.bad(from("192.0.2.1"), now); got != want*time.Millisecond {
			t.Errorf("bad authorisation %d is answered after %s, want %s", i+1, got, want*time.Millisecond)
		}
	}
	if got := s.bad(from("192.0.2.2"), now); got != firstSlowdown {
		t.Errorf("another address waits %s", got)
	}
	// Eight are one after three times the half-life.
	if got := s.bad(from("192.0.2.1"), now.Add(3*slowdownHalf)); got != 2*firstSlowdown {
		t.Errorf("after %s: %s, want %s", 3*slowdownHalf, got, 2*firstSlowdown)
	}
	for range 10_000 {
		if got := s.bad(from("192.0.2.1"), now); got > 5*time.Second {
			t.Fatalf("%s is longer than allowed", got)
		}
	}
}

func TestSlowdownAddresses(t *testing.T) {
	s, now := newSlowdown(5*time.Second), time.Now()
	s.bad(from("2001:db8::1"), now)
	if got := s.bad(from("2001:db8::2"), now); got != 2*firstSlowdown {
		t.Errorf("the same network of IPv6 waits %s", got)
	}
	s.bad(from("192.0.2.1"), now)
	if got := s.bad(from("::ffff:192.0.2.1"), now); got != 2*firstSlowdown {
		t.Errorf("the same address of IPv4 waits %s", got)
	}
	if got := s.bad(netip.AddrPort{}, now); got != 0 {
		t.Errorf("a unix socket waits %s", got)
	}
	if got := newSlowdown(0).bad(from("192.0.2.1"), now); got != 0 {
		t.Errorf("switched off: %s", got)
	}
}

// However many addresses there are, the table stays small, and those that try
// hardest stay in it.
func TestSlowdownTableIsBounded(t *testing.T) {
	s, now := newSlowdown(5*time.Second), time.Now()
	for range 20 {
		s.bad(from("192.0.2.1"), now)
	}
	for i := range 3 * slowdownTable {
		s.bad(from(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)), now)
	}
	if len(s.accounts) > slowdownTable {
		t.Errorf("%d addresses, at most %d are remembered", len(s.accounts), slowdownTable)
	}
	if got := s.bad(from("192.0.2.1"), now); got != 5*time.Second {
		t.Errorf("the worst address waits %s", got)
	}
}

// Every refusal has its reason, is counted under it, and slows down who guesses.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, &notebook{})
		g.opts.Config.MaxPushesPerDomain = 1
		g.slow = newSlowdown(5 * time.Second)
		future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
		live := admit(t, g, "open.example.com", "live", "")
		g.SetBans([]stillcast.Ban{ban("banned", future, "")})
		tests := []struct {
			domain, name, param string
			reason              Reason
			code                string
			slowed              bool
		}{
			{"push.example.com", "s", "", ReasonTxTimeMissing, "18/500", true},
			{"push.example.com", "s", "txTime=x&txSecret=y", ReasonTxTimeBad, "18/503", true},
			{"push.example.com", "s", stillcast.PushParam(key, "s", past), ReasonExpired, "18/501", true},
			{"push.example.com", "s", "txTime=70000000", ReasonSecretMissing, "18/502", true},
			{"push.example.com", "s", stillcast.PushParam("no", "s", future), ReasonSecretWrong, "18/503", true},
			{"else.example.com", "s", "", ReasonDomainUnknown, "18/301", true},
			{"open.example.com", "a\nb", "", ReasonName, "18/308", false},
			{"open.example.com", "banned", "", ReasonBanned, "21/101", false},
			{"open.example.com", "live", "", ReasonLive, "", false},
			{"open.example.com", "other", "", ReasonDomainFull, "18/600", false},
		}
		for _, tt := range tests {
			_, err := g.Admit(t.Context(), request(tt.domain, tt.name, tt.param))
			r, ok := errors.AsType[*Refusal](err)
			if !ok || r.Reason != tt.reason || r.Code() != tt.code || r.Delay > 0 != tt.slowed {
				t.Errorf("%s of %s: %#v (%v), want %s, %s, slowed %t", tt.reason, tt.name, r, err, tt.reason, tt.code, tt.slowed)
			}
			if n := testutil.ToFloat64(g.metrics.refused[tt.reason]); n != 1 {
				t.Errorf("%s is counted %v times", tt.reason, n)
			}
		}
		// A good one from the address that guessed is not held back.
		admit(t, g, "push.example.com", "s", stillcast.PushParam(key, "s", future)).End(stillcast.PushEnd{})
		live.End(stillcast.PushEnd{})
		admit(t, g, "open.example.com", "other", "").End(stillcast.PushEnd{})
		if len(g.byDomain) != 0 {
			t.Errorf("live pushes are still counted: %v", g.byDomain)
		}
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Without an address, over a unix socket, texts have words for it.
func TestPushWithoutAnAddress(t *testing.T) {
	g := newGate(t, &notebook{})
	req := request("open.example.com", "s", "")
	req.Remote, req.Local = netip.AddrPort{}, netip.AddrPort{}
	p, err := g.Admit(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if live := g.Live()[0]; live.Node != "" || live.Remote.IsValid() {
		t.Errorf("push %+v", live)
	}
	if _, err := g.Admit(t.Context(), req); err == nil || !strings.Contains(err.Error(), "pushed from a unix socket since") {
		t.Errorf("second push: %v", err)
	}
	p.End(stillcast.PushEnd{})
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for field, c := range map[string]Config{
		"max_pushes_per_domain": {MaxPushesPerDomain: -1}, "auth_slowdown": {AuthSlowdown: time.Hour},
	} {
		if e, ok := errors.AsType[*stillcast.Error](c.Validate()); !ok || e.Field != field {
			t.Errorf("%+v: %v", c, c.Validate())
		}
	}
}
