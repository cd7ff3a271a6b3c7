package notify

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// zooTimeout is that of an attempt. What does not answer must hold its slots for
// so long, while the others are served.
const zooTimeout = 2 * time.Second

// animal is a receiver that misbehaves in one way.
type animal struct {
	serve   func(t *testing.T) string // returns its URL
	profile stillcast.Profile
	outcome state.Outcome
	status  int
	says    string        // part of the recorded error
	reply   func() string // that is recorded; nil for none
	wait    time.Duration // until the next attempt; 0 for the profile's
	holds   bool          // its slots until the timeout
	paused  bool          // by its answer
}

const zooInterval = time.Hour

func zoo() map[string]animal {
	const retry, delivered, parked = state.OutcomeRetry, state.OutcomeDelivered, state.OutcomeParked
	ok := func() string { return `{"code":0}` }
	return map[string]animal{
		"good":    {serve: answering(200, nil), outcome: delivered, status: 200, reply: ok},
		"refuses": {serve: refusing, outcome: retry, says: "connection refused"},
		"closes at once": {
			serve: raw(func(net.Conn) {}), outcome: retry, says: "EOF",
		},
		"hangs": {serve: raw(func(c net.Conn) { hold(c) }), outcome: retry, says: "no answer in time: 2s passed", holds: true},
		"sends one byte at a time": {
			serve: raw(func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }), outcome: retry,
			says: "no answer in time: 2s passed", holds: true,
		},
		"sends its body one byte at a time": { // the status is the answer
			serve: raw(func(c net.Conn) { say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"); drip(c, "xxxxxxxxxx") }), outcome: delivered,
			status: 200, holds: true,
		},
		"resets in the head of its answer": {
			serve: raw(func(c net.Conn) { say(c, "HTTP/1.1 2"); reset(c) }), outcome: retry, says: "connection",
		},
		"resets in the body of its answer": {
			serve: raw(func(c net.Conn) { say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"); reset(c) }), outcome: delivered, status: 200,
			reply: func() string { return "half" },
		},
		"answers with 100 MB": {
			serve: flood("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n"), outcome: delivered, status: 200,
			reply: func() string { return strings.Repeat("x", maxReply) },
		},
		"answers with 100 MB that say gzip": {
			serve:   flood("HTTP/1.1 500 Oh\r\nContent-Encoding: gzip\r\nContent-Length: 104857600\r\n\r\n"),
			outcome: retry, status: 500, says: "only 200 counts", reply: func() string { return strings.Repeat("x", maxReply) },
		},
		"answers with an endless header": {serve: flood("HTTP/1.1 200 OK\r\nX-Long: "), outcome: retry, says: "exceeded"},
		"says 103 for ever": {
			serve: raw(func(c net.Conn) { say(c, strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 5000)); hold(c) }), outcome: retry, says: "exceeded",
		},
		"speaks another protocol": {serve: raw(func(c net.Conn) { say(c, "SSH-2.0-OpenSSH_9.9\r\n") }), outcome: retry, says: "malformed HTTP"},
		"redirects to a metadata address": {
			serve:   answering(302, http.Header{"Location": {"http://169.254.169.254/latest/meta-data/"}}),
			outcome: retry, status: 302, says: "redirects are not followed", reply: ok,
		},
		"has a metadata address": {
			serve: at("http://169.254.169.254/latest/meta-data/"), outcome: retry, says: "belongs to a cloud's metadata service",
		},
		"has a private address": {serve: at("http://127.0.0.2:80/"), outcome: retry, says: "address 127.0.0.2 is in a private network"},
		"answers 429": {
			serve: answering(429, http.Header{"Retry-After": {"7"}}), outcome: retry, status: 429, says: "Too Many Requests", reply: ok, wait: 7 * time.Second,
		},
		"answers 503 for a day": {
			serve: answering(503, http.Header{"Retry-After": {"86400"}}), outcome: retry, status: 503, reply: ok, wait: time.Hour,
		},
		"answers 410": {serve: answering(410, nil), outcome: parked, status: 410, says: "Gone", reply: ok, paused: true},
		"answers 204": {serve: answering(204, nil), outcome: retry, status: 204, says: "only 200 counts"},
		"answers 204 to the standard": {
			serve: answering(204, nil), profile: stillcast.ProfileStandard, outcome: delivered, status: 204,
		},
		"has an expired certificate":           {serve: secure(-48*time.Hour, -24*time.Hour), outcome: retry, says: "certificate has expired"},
		"has a certificate of nobody's":        {serve: secure(-time.Hour, time.Hour), outcome: retry, says: "certificate signed by unknown authority"},
		"answers HTTP where HTTPS is expected": {serve: plainTLS, outcome: retry, says: "answers HTTP, not HTTPS"},
	}
}

// Each receiver misbehaves in its way: the outcome and what is recorded of it are
// as they should be, it holds its own slots and no more, and a good receiver next
// to it is served meanwhile.
func TestZoo(t *testing.T) {
	for name, a := range zoo() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var dialled atomic.Pointer[[]string]
			dialled.Store(&[]string{})
			r := newZooRig(t, nil, &dialled)
			good := answering(200, nil)(t)
			for n, location := range map[int64]string{1: a.serve(t), 2: good} {
				to := template(n)
				to.SnapshotURL, to.Profile = location, a.profile
				r.settings.set(to)
			}
			r.ledger.finished = make(chan stillcast.Destination, 100)
			r.start(t)
			r.owe(dest(1), 3)
			r.owe(dest(2), 30)
			await(t, r.ledger.finished, dest(2), 30)
			if n := r.ledger.count(dest(1), state.StateClaimed); a.holds && n != 3 {
				t.Errorf("%d of its requests are under way while another is served, want 3", n)
			}
			if n := r.ledger.count(dest(2), state.StateDelivered); n != 30 {
				t.Errorf("%d delivered to the good one, want 30", n)
			}
			for r.ledger.finishedOf(dest(1)) == 0 {
				<-r.ledger.finished
			}
			a.check(t, r)
			for _, address := range *dialled.Load() {
				if strings.HasPrefix(address, "169.254.") && a.status != 0 {
					t.Errorf("went where the redirect led: %s", address)
				}
			}
		})
	}
}

func (a animal) check(t *testing.T, r *rig) {
	t.Helper()
	got := r.ledger.firstOf(dest(1))
	if got.Outcome != a.outcome || got.Status != a.status || !strings.Contains(got.Error, a.says) || (got.Error == "") != (a.outcome == state.OutcomeDelivered) {
		t.Errorf("outcome %d, status %d, error %q; want %d, %d, …%s…", got.Outcome, got.Status, got.Error, a.outcome, a.status, a.says)
	}
	if a.reply != nil && strings.TrimSpace(got.Reply) != a.reply() || len(got.Reply) > maxReply {
		t.Errorf("reply of %d bytes %.50q", len(got.Reply), got.Reply)
	}
	if a.outcome == state.OutcomeRetry {
		want := zooInterval
		if a.wait > 0 {
			want = a.wait
		}
		if wait := got.RetryAt.Sub(got.Started.Add(got.Took)); wait < want-time.Second || wait > want+time.Second {
			t.Errorf("tried again after %s, want %s", wait, want)
		}
	}
	if paused := r.ledger.reason(dest(1)) != ""; paused != a.paused {
		t.Errorf("paused %v, want %v", paused, a.paused)
	}
	if len(got.Request) == 0 {
		t.Error("nothing is kept of the request")
	}
}

// newZooRig is a rig over real sockets that may reach 127.0.0.1 alone, and notes
// what is dialled.
func newZooRig(t *testing.T, resolver *net.Resolver, dialled *atomic.Pointer[[]string]) *rig {
	t.Helper()
	dial := guarded(prefixes("127.0.0.1/32"), resolver)
	var mu sync.Mutex
	return newRigOver(t, func(c *Config) {
		c.Retry.Timeout, c.Retry.Interval = zooTimeout, zooInterval
	}, func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		list := append(append([]string{}, *dialled.Load()...), address)
		dialled.Store(&list)
		mu.Unlock()
		return dial(ctx, network, address)
	})
}

// await waits for so many results of a destination.
func await(t *testing.T, results <-chan stillcast.Destination, d stillcast.Destination, n int) {
	t.Helper()
	for n > 0 {
		select {
		case got := <-results:
			if got == d {
				n--
			}
		case <-time.After(time.Minute):
			t.Fatalf("%d results did not come", n)
		}
	}
}

func (l *fakeLedger) finishedOf(d stillcast.Destination) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.results {
		if l.rows[r.DeliveryID-1].Destination == d {
			n++
		}
	}
	return n
}

func (l *fakeLedger) firstOf(d stillcast.Destination) state.Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.results {
		if l.rows[r.DeliveryID-1].Destination == d {
			return r
		}
	}
	return state.Result{}
}

// Replies of 100 MB cost the memory of what is read of them.
func TestFloodTakesLittleMemory(t *testing.T) {
	target := flood("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")(t)
	c := realClients(t, nil)
	post(t, c, target)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const requests = 20
	for range requests {
		if a := post(t, c, target); a.err != nil || len(a.reply) != maxReply {
			t.Errorf("error %v, %d bytes of the reply", a.err, len(a.reply))
		}
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) / requests; took > 256<<10 {
		t.Errorf("%s", fmt.Sprintf("%d bytes of memory for a reply of 100 MB", took))
	}
}
