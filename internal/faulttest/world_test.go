package faulttest

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/ledger/client"
)

const (
	pushKey       = "push-key"
	hookKey       = "hook-key"
	signingSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	secretID      = "AKIDfaults"
	secretKey     = "secret-key-of-the-fault-tests"
)

// patience is how long anything may take that takes a second on an idle machine.
const patience = 2 * time.Minute

// world is a server's data, its publishers and its receiver, over all its restarts.
type world struct {
	t        *testing.T
	chance   *rand.Rand
	dir      string   // data_dir
	config   string   // file
	pictures []string // folders of the buckets of each store
	remote   bool     // pictures come from another server than ours
	receiver *receiver
	fleet    *fleet
	log      *serverLog
}

// newWorld makes one whose data are in dir. storage is that section of the
// configuration, as a flow mapping, and template what the snapshot template has
// besides; "{}" and "" are a folder in dir.
func newWorld(t *testing.T, dir, storage, template string) *world {
	t.Helper()
	w := &world{t: t, chance: chance(t), dir: filepath.Join(dir, "data"), log: &serverLog{taken: map[string]bool{}}, fleet: newFleet(t)}
	w.pictures = []string{filepath.Join(w.dir, "pictures")}
	w.receiver = newReceiver(t, w.chance)
	w.config = writeConfig(t, configText(w.dir, w.receiver.URL, storage, template))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of the servers, without the shots that were taken, ends with:\n%s", w.log.tail())
		}
	})
	return w
}

// killAtRandom runs a server for a moment: from the start of the process, or under
// load. It reports how far it came.
func (w *world) killAtRandom() (served bool) {
	w.t.Helper()
	s, longest := w.start(), 400*time.Millisecond
	if w.chance.IntN(4) > 0 {
		s.serving()
		longest = 4 * time.Second
	}
	pause := time.NewTimer(time.Duration(w.chance.Int64N(int64(longest))))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-s.ended:
		w.t.Fatalf("the server ended by itself (%v); its log ends with:\n%s", s.err, w.log.tail())
	}
	s.kill()
	w.log.next()
	return s.RTMP != ""
}

// killUnderLoad kills a server that has taken shots of most streams.
func (w *world) killUnderLoad() {
	w.t.Helper()
	s := w.start().serving()
	before := len(w.log.acknowledged())
	w.until("shots", func(context.Context) bool { return len(w.log.acknowledged()) >= before+streams })
	s.kill()
	w.log.next()
}

// settle runs a server without publishers until nothing is owed, has each picture
// downloaded once more, and stops it.
func (w *world) settle() (faults []string) {
	w.t.Helper()
	w.fleet.end()
	w.receiver.behave()
	s := w.start().serving()
	w.drain(s)
	host := s.HTTP
	if w.remote {
		host = ""
	}
	faults = w.downloadAll(host)
	s.stop()
	return faults
}

// drain waits until all that was owed is delivered.
func (w *world) drain(s *server) {
	w.t.Helper()
	c := client.Client{Endpoint: "http://" + s.HTTP, SecretID: secretID, SecretKey: secretKey, HTTP: w.receiver.client}
	w.until("all deliveries", func(ctx context.Context) bool {
		var list ledger.DestinationList
		if err := c.Get(ctx, "destinations", nil, &list); err != nil {
			w.t.Fatalf("ask for what is owed: %v", err)
		}
		owed := int64(0)
		for _, d := range list.Destinations {
			owed += d.Owed.Waiting + d.Owed.Pending + d.Owed.Claimed
		}
		return owed == 0
	})
}

// until waits for what is sure to come.
func (w *world) until(what string, done func(context.Context) bool) {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !done(w.t.Context()) {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("no %s after %s; the log ends with:\n%s", what, patience, w.log.tail())
		}
	}
}
