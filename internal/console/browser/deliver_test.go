package browser

import (
	_ "embed"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/config"
)

//go:embed deliver.mjs
var deliverScript string

// brokenReceiver answers what could hurt who looks at it, until it is repaired.
type brokenReceiver struct {
	*httptest.Server

	mu       sync.Mutex
	repaired bool
	refused  map[string]bool // ids of events of shots
	taken    map[string]bool
}

func newBrokenReceiver(t *testing.T) *brokenReceiver {
	t.Helper()
	r := &brokenReceiver{refused: map[string]bool{}, taken: map[string]bool{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP implements [http.Handler].
func (r *brokenReceiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // the sender was stopped
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := q.Header.Get(callback.HeaderTest) == "" && strings.Contains(string(body), `"event_type":200`)
	id := q.Header.Get(callback.HeaderEventID)
	if !r.repaired {
		if counts {
			r.refused[id] = true
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "out for <script>window.hacked = 1</script> \u202erepairs \x1b[31m\x00\xff")
		return
	}
	if counts {
		r.taken[id] = true
	}
}

func (r *brokenReceiver) repair() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repaired = true
}

// missing counts the events that were refused and never taken.
func (r *brokenReceiver) missing() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.refused {
		if !r.taken[id] {
			n++
		}
	}
	return n
}

// TestDeliveries goes the way of an operator in the browser: a receiver fails, is
// seen, looked into, paused, repaired, tested, resumed, and gets what was parked.
// Then it looks at the system.
func TestDeliveries(t *testing.T) {
	hook := newBrokenReceiver(t)
	r := newRig(t, func(c *config.Config) {
		c.Callback.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Callback.Retry.Attempts, c.Callback.Retry.Interval = 2, time.Second
		c.Resources.CallbackTemplates = []config.CallbackTemplate{{
			Name: "hooks", Key: "hush-key", SnapshotURL: hook.URL + "/shot?token=hush-query", StreamBeginURL: hook.URL + "/begin",
		}}
		c.Resources.CallbackRules = []config.CallbackRule{{Domain: stillcast.AnyDomain, Template: "hooks"}}
	})
	r.push("red", "red")
	script{r, map[string]func(){
		"repair": hook.repair,
		"stop":   r.stop,
		"start":  r.start,
		"all arrived": func() {
			over := time.After(time.Minute)
			for hook.missing() > 0 {
				select {
				case <-over:
					t.Errorf("%d events never arrived", hook.missing())
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		},
		"lose pictures": func() {
			files, err := filepath.Glob(filepath.Join(r.server.PicturesDir(), "*", "*", "*.jpg"))
			if err != nil || len(files) == 0 {
				t.Errorf("there are %d pictures, %v", len(files), err)
			}
			for _, f := range files {
				if err := os.Remove(f); err != nil {
					t.Error(err)
				}
			}
		},
	}}.run(deliverScript, map[string]any{"receiver": hook.URL})
}
