package ingest

import (
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// SetBans puts bans in force instead of those before, and ends the live pushes
// that they forbid. When it returns, no push of a banned stream is or gets live
// until its time; then the ban ends by itself.
func (g *Gate) SetBans(bans []stillcast.Ban) {
	now := time.Now()
	set := make(map[stillcast.Stream]stillcast.Ban, len(bans))
	for _, b := range bans {
		if b.Until.After(now) {
			set[banKey(b.Stream)] = b
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bans = set
	for s, p := range g.live {
		if b, banned := set[s]; banned {
			p.stop(stillcast.PushEnd{At: now, Code: stillcast.EndControl, Message: banEnd(b)})
		}
	}
}

// banKey is how streams of live pushes are written.
func banKey(s stillcast.Stream) stillcast.Stream {
	s.Domain = strings.ToLower(s.Domain)
	return s
}

// banned returns an error for the publisher's eyes if s is banned now. It must be
// called with g.mu held.
func (g *Gate) banned(s stillcast.Stream, now time.Time) error {
	b, ok := g.bans[s]
	if !ok {
		return nil
	}
	if !now.Before(b.Until) {
		delete(g.bans, s)
		return nil
	}
	return stillcast.Errorf(stillcast.CodeDenied, "stream", "%s is forbidden %s", s, banText(b))
}

// banEnd names the code and sub-code of Tencent Cloud CSS for pushes that end
// because their stream is forbidden.
func banEnd(b stillcast.Ban) string { return "21/101: the stream was forbidden " + banText(b) }

func banText(b stillcast.Ban) string {
	text := "until " + b.Until.UTC().Format(time.RFC3339)
	if b.Reason != "" {
		text += ": " + b.Reason
	}
	return text
}

// DropDomain ends the live pushes that the registered domain of that name took,
// with end, and returns how many there were. Where the domain was disabled or deleted
// before in the resources in force, none follows.
func (g *Gate) DropDomain(name string, end stillcast.PushEnd) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, p := range g.live {
		if p.push.Domain == name {
			p.stop(end)
			n++
		}
	}
	return n
}

// open returns the domain that takes pushes to host.
func (g *Gate) open(host string) (stillcast.Domain, *Refusal) {
	d, ok := g.opts.Resources().Domain(host)
	switch {
	case !ok:
		return d, refuse(ReasonDomainUnknown, stillcast.Errorf(stillcast.CodeDenied, "push domain", "%q is not registered here", host))
	case d.Disabled:
		return d, refuse(ReasonDomainOff, stillcast.Errorf(stillcast.CodeDenied, "push domain", "%q is disabled", host))
	}
	return d, nil
}
