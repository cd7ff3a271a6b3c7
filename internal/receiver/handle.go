package receiver

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/stillcast/stillcast/callback"
)

// handle answers one request and has it reported.
func (r *Receiver) handle(w http.ResponseWriter, q *http.Request) {
	if !r.begin() {
		answer(w, http.StatusServiceUnavailable, "the receiver is stopping")
		return
	}
	defer r.work.Done()
	if q.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, "events are sent by POST, not "+q.Method)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	got := Received{At: time.Now(), Meta: callback.MetaFromHeader(q.Header), Status: r.options.Status}
	if err == nil {
		got.Event, got.Verified, err = r.read(q.Header, body, got.At)
	}
	reason := ""
	switch {
	case err != nil:
		got.Verified, got.Status, reason = err, http.StatusBadRequest, err.Error()
	case got.Verified != nil:
		got.Status, reason = http.StatusForbidden, got.Verified.Error()
	}
	refused := reason != ""
	// A slot is waited for here, so that a flood waits at its sender.
	select {
	case r.slots <- struct{}{}:
	case <-q.Context().Done():
		return
	}
	status := got.Status
	r.work.Go(func() {
		defer func() { <-r.slots }()
		if !refused {
			got.Picture, got.Renditions = r.pictures(got)
		}
		r.tell(got)
	})
	if !refused && !r.hold(q) {
		status, reason = http.StatusServiceUnavailable, "the receiver is stopping"
	}
	answer(w, status, reason)
}

// begin counts a request in, unless Stop has begun to wait for those under way.
func (r *Receiver) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping {
		return false
	}
	r.work.Add(1)
	return true
}

// read parses and verifies a body; err says that it is no event.
func (r *Receiver) read(header http.Header, body []byte, now time.Time) (event callback.Event, verified, err error) {
	if len(r.options.Keys)+len(r.options.Secrets) > 0 {
		verified = r.verifier.VerifyRequest(header, body, now)
		if errors.Is(verified, callback.ErrMalformed) {
			return nil, nil, verified
		}
	}
	event, err = callback.Parse(body)
	return event, verified, err
}

// hold waits for the delay and says whether it passed.
func (r *Receiver) hold(q *http.Request) bool {
	if r.options.Delay == 0 {
		return true
	}
	timer := time.NewTimer(r.options.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-q.Context().Done():
		return false
	case <-r.ctx.Done():
		return false
	}
}

func (r *Receiver) tell(got Received) {
	if r.options.OnEvent == nil {
		return
	}
	r.report.Lock()
	defer r.report.Unlock()
	r.options.OnEvent(got)
}

// answer writes {"code":0} for 200, and otherwise the status and the reason.
func answer(w http.ResponseWriter, status int, message string) {
	reply := struct {
		Code    int    `json:"code"`
		Message string `json:"message,omitempty"`
	}{Message: message}
	if status != http.StatusOK {
		reply.Code = status
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return // these have no body
	}
	// A sender that no longer listens will send the event again.
	_ = json.NewEncoder(w).Encode(reply)
}
