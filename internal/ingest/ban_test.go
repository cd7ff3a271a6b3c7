package ingest

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

func ban(name string, until time.Time, reason string) stillcast.Ban {
	return stillcast.Ban{Stream: stillcast.Stream{Domain: "open.example.com", App: "live", Name: name}, Until: until, Reason: reason}
}

// admit pushes a stream that must be admitted.
func admit(t *testing.T, g *Gate, domain, name, param string) Push {
	t.Helper()
	p, err := g.Admit(t.Context(), request(domain, name, param))
	if err != nil {
		t.Fatalf("push of %s: %v", name, err)
	}
	return p
}

func TestBannedStreamIsRefusedUntilItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, &notebook{})
		until := time.Now().Add(time.Hour)
		bans := []stillcast.Ban{ban("s", until, "stolen"), ban("past", time.Now(), "")}
		bans[0].Stream.Domain = "Open.Example.com"
		g.SetBans(bans)
		admit(t, g, "open.example.com", "other", "").End(stillcast.PushEnd{})
		admit(t, g, "open.example.com", "past", "").End(stillcast.PushEnd{})

		_, err := g.Admit(t.Context(), request("open.example.com", "s", ""))
		want := "stream: open.example.com/live/s is forbidden until " + until.UTC().Format(time.RFC3339) + ": stolen"
		if stillcast.CodeOf(err) != stillcast.CodeDenied || err.Error() != want {
			t.Errorf("push of a banned stream: %v, want %q", err, want)
		}
		time.Sleep(time.Hour - time.Second)
		if _, err := g.Admit(t.Context(), request("open.example.com", "s", "")); err == nil {
			t.Error("a banned stream was admitted before its time")
		}
		time.Sleep(time.Second)
		admit(t, g, "open.example.com", "s", "").End(stillcast.PushEnd{})
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestBanIsToldOnlyToWhoMayPush(t *testing.T) {
	g := newGate(t, &notebook{})
	b := ban("s", time.Now().Add(time.Hour), "secret affair")
	b.Stream.Domain = "push.example.com"
	g.SetBans([]stillcast.Ban{b})
	_, err := g.Admit(t.Context(), request("push.example.com", "s", "txTime=70000000&txSecret=0"))
	if err == nil || !strings.HasPrefix(err.Error(), "txSecret: is wrong") {
		t.Errorf("push without the key: %v, want that its secret is wrong", err)
	}
	_, err = g.Admit(t.Context(), request("push.example.com", "s", stillcast.PushParam(key, "s", time.Now().Add(time.Hour))))
	if err == nil || !strings.Contains(err.Error(), "secret affair") {
		t.Errorf("push with the key: %v, want the reason of the ban", err)
	}
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBanEndsALivePush(t *testing.T) {
	g := newGate(t, &notebook{})
	p, other := admit(t, g, "open.example.com", "s", ""), admit(t, g, "open.example.com", "other", "")
	g.SetBans([]stillcast.Ban{ban("s", time.Now().Add(time.Hour), "stolen")})
	end := stopOf(p)
	if end == nil {
		t.Fatal("the push of a banned stream goes on")
	}
	if end.Code != stillcast.EndControl || !strings.Contains(end.Message, "21/101") || !strings.Contains(end.Message, "stolen") {
		t.Errorf("cause %+v, want %d with sub-code and reason", end, stillcast.EndControl)
	}
	if stopOf(other) != nil {
		t.Error("another stream's push was ended")
	}
	p.End(*end)
	g.SetBans(nil)
	admit(t, g, "open.example.com", "s", "").End(stillcast.PushEnd{})
	other.End(stillcast.PushEnd{})
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDisabledDomain(t *testing.T) {
	n := &notebook{}
	domains := []stillcast.Domain{
		{Name: "a.example.com", Auth: stillcast.PushAuth{Disabled: true}},
		{Name: "b.example.com", Auth: stillcast.PushAuth{Disabled: true}},
	}
	resources := stillcast.NewResources(stillcast.ResourceSet{Domains: domains})
	var midway func() // called while a push is being admitted
	g := NewGate(GateOptions{
		Resources: func() *stillcast.Resources {
			now := resources
			if midway != nil {
				midway()
			}
			return now
		},
		Journal: n, Supports: func(media.Codec) bool { return true },
		Open:   func(stillcast.Push, <-chan struct{}) Sink { return n },
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	disable := func() {
		resources = stillcast.NewResources(stillcast.ResourceSet{Domains: []stillcast.Domain{
			{Name: "a.example.com", Disabled: true, Auth: stillcast.PushAuth{Disabled: true}}, domains[1],
		}})
	}
	end := stillcast.PushEnd{Code: stillcast.EndControl, Message: "disabled"}
	live, other := admit(t, g, "a.example.com", "s", ""), admit(t, g, "b.example.com", "s", "")

	// One that asks while the domain is being disabled is either ended or refused.
	midway = func() {
		midway = nil
		disable()
		if ended := g.DropDomain("a.example.com", end); ended != 1 {
			t.Errorf("%d pushes were ended, want 1", ended)
		}
	}
	late, err := g.Admit(t.Context(), request("a.example.com", "t", ""))
	if err == nil {
		late.End(stillcast.PushEnd{})
	}
	if want := `push domain: "a.example.com" is disabled`; stillcast.CodeOf(err) != stillcast.CodeDenied || err.Error() != want {
		t.Errorf("push to a domain that is being disabled: %v, want %q", err, want)
	}
	why := stopOf(live)
	if why == nil || why.Message != "disabled" {
		t.Fatalf("stopped with %+v, want the reason given to DropDomain", why)
	}
	if stopOf(other) != nil {
		t.Error("another domain's push was ended")
	}
	admit(t, g, "b.example.com", "t", "").End(stillcast.PushEnd{})
	live.End(*why)
	other.End(stillcast.PushEnd{})
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
