package callback

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// DefaultMaxBody is the longest body that a [Handler] reads, in bytes. Events
// are shorter than 20 KB.
const DefaultMaxBody = 1 << 20

// Options are the settings of a [Handler]. The zero value refuses every event,
// for want of a key.
type Options struct {
	// Secrets, Tolerance and AllowDowngrade say how the body is verified by the
	// headers of Standard Webhooks, see [Verifier].
	Secrets        []string
	Tolerance      time.Duration
	AllowDowngrade bool
	// Keys are the keys that are taken, see [Verifier].
	Keys []string
	// Unsigned takes events without looking at their signature. It is for
	// callback templates without a key, behind a network that lets only the
	// sender in.
	Unsigned bool
	// Skew is how long after its expiry a signature is still taken, see [Verifier].
	Skew time.Duration
	// Replay answers repeats without handing them over again; nil hands over
	// whatever arrives. Events are told apart by their id: the webhook-id where it
	// was verified, else Stillcast's own header, else what is in the body.
	Replay *ReplayGuard
	// MaxBody is the longest body that is read, in bytes; 0 means DefaultMaxBody.
	MaxBody int64
	// Logger gets the errors of the function and, at level warn, what was
	// refused; nil logs nothing.
	Logger *slog.Logger
}

// Handler returns a handler that verifies and parses events and hands them to
// receive, one at a time per request, with the request's context (see
// [MetaFrom]). It answers:
//
//	200 {"code":0}  receive returned nil, or the event was received before
//	400             the body is no event
//	403             not signed, wrong signature, signature expired
//	405             the method is not POST
//	413             the body is longer than Options.MaxBody
//	500             receive failed: the sender will send the event again
//
// All but the first have a body {"code":STATUS,"message":"…"} that says why.
func Handler(options Options, receive func(context.Context, Event) error) http.Handler {
	h := &handler{options: options, receive: receive}
	if h.options.MaxBody <= 0 {
		h.options.MaxBody = DefaultMaxBody
	}
	if h.options.Logger == nil {
		h.options.Logger = slog.New(slog.DiscardHandler)
	}
	return h
}

type handler struct {
	options Options
	receive func(context.Context, Event) error
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, "events are sent by POST, not "+r.Method)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.options.MaxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
		h.refuse(w, r, status, err)
		return
	}
	event, err := h.open(r.Header, body)
	if err != nil {
		h.refuse(w, r, statusOf(err), err)
		return
	}
	if err := h.handOver(r, event); err != nil {
		h.options.Logger.ErrorContext(r.Context(), "event was not received",
			"event_id", MetaFromHeader(r.Header).EventID, "event_type", event.Type(), "error", err)
		answer(w, http.StatusInternalServerError, "the receiver could not process the event; send it again")
		return
	}
	answer(w, http.StatusOK, "")
}

// opened is an event that was verified.
type opened struct {
	Event

	members object
	id      string // webhook-id that the event was verified with, "" without
}

// open verifies and parses a body.
func (h *handler) open(header http.Header, body []byte) (opened, error) {
	members, err := parseObject(body)
	if err != nil {
		return opened{}, err
	}
	o := opened{members: members}
	if !h.options.Unsigned {
		v := Verifier{
			Secrets: h.options.Secrets, Tolerance: h.options.Tolerance, AllowDowngrade: h.options.AllowDowngrade,
			Keys: h.options.Keys, Skew: h.options.Skew,
		}
		if o.id, err = v.verifyRequest(header, body, members, time.Now()); err != nil {
			return opened{}, err
		}
	}
	o.Event, err = members.event(body)
	return o, err
}

func (h *handler) handOver(r *http.Request, o opened) error {
	meta := MetaFromHeader(r.Header)
	id := meta.EventID
	switch {
	case o.id != "":
		meta.EventID, meta.Signed = o.id, true
		// Apart from ids that are not signed, with which somebody could have a
		// signed event taken for a repeat.
		id = "webhook " + o.id
	case id == "":
		id = o.members.fingerprint()
	}
	ctx := withMeta(r.Context(), meta)
	if h.options.Replay == nil {
		return h.receive(ctx, o.Event)
	}
	_, err := h.options.Replay.Do(ctx, id, func() error { return h.receive(ctx, o.Event) })
	return err
}

func (h *handler) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	h.options.Logger.WarnContext(r.Context(), "event refused",
		"remote", r.RemoteAddr, "status", status, "error", err)
	answer(w, status, err.Error())
}

// statusOf returns the status for an error of open: 400 for what is no event,
// 403 for what is not signed as it should be.
func statusOf(err error) int {
	if errors.Is(err, ErrMalformed) {
		return http.StatusBadRequest
	}
	return http.StatusForbidden
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
	// A sender that no longer listens will send the event again.
	_ = json.NewEncoder(w).Encode(reply)
}
