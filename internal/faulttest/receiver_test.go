package faulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stillcast/stillcast/callback"
)

// received is an event as the receiver got it, once or several times.
type received struct {
	line
	number  int64 // Stillcast-Sequence
	times   int
	key     string // of the picture in its bucket, "" of other events
	url     string // of the picture, as the last attempt said
	size    int
	picture []byte
}

// line is what is numbered: the events of one type of a stream.
type line struct {
	stream string
	typ    int
}

// receiver is a user's server: it verifies each event and downloads its picture at
// once. Now and then it fails, before it took an event or after.
type receiver struct {
	*httptest.Server
	client *http.Client
	mirror string // folder of the buckets that must have each picture too, "" for none

	mu     sync.Mutex
	chance *rand.Rand // nil: it does not fail
	events map[string]*received
	faults []string
}

func newReceiver(t *testing.T, chance *rand.Rand) *receiver {
	t.Helper()
	r := &receiver{
		chance: rand.New(rand.NewPCG(chance.Uint64(), 0)), events: map[string]*received{},
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	handler := callback.Handler(callback.Options{Keys: []string{hookKey}, Secrets: []string{signingSecret}}, r.take)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.fails() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, req)
		if answer.Code != http.StatusOK && answer.Code != http.StatusInternalServerError {
			r.blame("a request was answered with %d %s", answer.Code, answer.Body)
		}
		if r.fails() {
			panic(http.ErrAbortHandler) // the answer is lost
		}
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}))
	t.Cleanup(r.Close)
	return r
}

// fails says whether to fail now: once in ten.
func (r *receiver) fails() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.chance != nil && r.chance.IntN(10) == 0
}

// behave ends all failing.
func (r *receiver) behave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chance = nil
}

func (r *receiver) blame(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *receiver) take(ctx context.Context, e callback.Event) error {
	meta := callback.MetaFrom(ctx)
	got := &received{number: meta.Sequence, times: 1}
	got.typ = e.Type()
	switch e := e.(type) {
	case callback.Screenshot:
		got.stream, got.key, got.url, got.size = e.StreamID, e.PicURL, e.PicFullURL, e.FileSize
	case callback.StreamBegin:
		got.stream = e.StreamID
	case callback.StreamEnd:
		got.stream = e.StreamID
	}
	if !meta.Signed || meta.EventID == "" || got.stream == "" || meta.Sequence == 0 {
		r.blame("an event came with %+v of stream %q", meta, got.stream)
	}
	if got.url != "" {
		picture, err := r.download(ctx, got.url)
		if refused, ok := errors.AsType[*refusedError](err); ok {
			r.blame("event %s came without its picture: %v", meta.EventID, refused)
			err = nil // and would for ever
		}
		if err != nil {
			return err // the server was killed; it sends the event again
		}
		got.picture = picture
	}
	if mirror := filepath.Join(r.mirror, testBucket, filepath.FromSlash(got.key)); r.mirror != "" && got.key != "" {
		if other, err := os.ReadFile(mirror); err != nil || !bytes.Equal(other, got.picture) {
			r.blame("event %s came without the picture in the mirror: %v", meta.EventID, err)
		}
	}
	r.keep(meta.EventID, got)
	return nil
}

// keep takes an event, and compares it with the same one that came before.
func (r *receiver) keep(id string, got *received) {
	before := r.event(id)
	if before != nil && (before.line != got.line || before.number != got.number || before.key != got.key || !bytes.Equal(before.picture, got.picture)) {
		r.blame("event %s came as number %d of %v with %s, and then as number %d of %v with %s, pictures of %d and %d bytes", id,
			before.number, before.line, before.key, got.number, got.line, got.key, len(before.picture), len(got.picture))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if before != nil {
		got.times += before.times
	}
	r.events[id] = got
}

func (r *receiver) event(id string) *received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[id]
}

// all returns what came, by event id, and what was wrong with it.
func (r *receiver) all() (events map[string]*received, faults []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events, r.faults
}

// count returns how many shots have come.
func (r *receiver) count() (shots int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.typ == callback.TypeScreenshot {
			shots++
		}
	}
	return shots
}

// refusedError says that somebody answered, but not with the picture.
type refusedError struct{ status string }

func (e *refusedError) Error() string { return e.status }

func (r *receiver) download(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, &refusedError{"GET " + address + ": " + answer.Status}
	}
	return io.ReadAll(answer.Body)
}

// at is the address at another server: a restart has another port.
func at(address, host string) string {
	u, err := url.Parse(address)
	if err != nil || host == "" {
		return address
	}
	u.Host = host
	return u.String()
}
