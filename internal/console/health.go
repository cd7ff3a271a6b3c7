package console

import (
	"encoding/json"
	"net/http"
)

// health is what pages ask while the server does not answer, to know when it is
// back, and whether it is another program by then.
type health struct {
	Version string `json:"version"`
}

func (v *view) health() error {
	v.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v.w).Encode(health{Version: v.opts.Version})
}

// Stop ends all requests that go on by themselves, such as those of walls, and
// refuses others. It is called before the HTTP server stops, which would wait for
// them.
func (c *Console) Stop() { c.doors.sessions.stop(errStopping) }

// stopped answers requests while the server stops. It says nothing that htmx would
// show: the page asks for the health until there is one.
func (c *Console) stopped(w http.ResponseWriter) bool {
	if c.doors.sessions.stopped() == nil {
		return false
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "the server is stopping", http.StatusServiceUnavailable)
	return true
}
