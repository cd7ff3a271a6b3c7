package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// fakeLedger keeps deliveries in memory, by the rules of package state.
type fakeLedger struct {
	mu       sync.Mutex
	rows     []*row
	results  []state.Result
	claims   []state.Claim
	onClaim  func() error
	onFinish func(state.Result) error
	onRead   func() error
	paused   map[stillcast.Destination]string // and why
	finished chan stillcast.Destination       // gets each result's, unless it is full
}

type row struct {
	state.Delivery
	state  state.DeliveryState
	due    time.Time // of a claimed one, when its lease runs out
	result state.Result
}

var errLedger = errors.New("database is locked")

func (l *fakeLedger) Claim(_ context.Context, c state.Claim) ([]state.Delivery, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claims = append(l.claims, c)
	if l.onClaim != nil {
		if err := l.onClaim(); err != nil {
			return nil, err
		}
	}
	if _, ok := l.paused[c.Destination]; ok {
		return nil, nil
	}
	var got []state.Delivery
	for _, r := range l.rows {
		open := r.state == state.StatePending || r.state == state.StateClaimed
		inLane := (r.Attempt > 0) == (c.Lane == state.LaneRetry)
		if len(got) == c.Limit || !open || !inLane || r.Destination != c.Destination || r.due.After(c.Now) {
			continue
		}
		r.state, r.due = state.StateClaimed, c.Now.Add(c.Lease)
		r.Attempt++
		r.Try++
		got = append(got, r.Delivery)
	}
	return got, nil
}

func (l *fakeLedger) Finish(_ context.Context, res state.Result) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.onFinish != nil {
		if err := l.onFinish(res); err != nil {
			return err
		}
	}
	r := l.rows[res.DeliveryID-1]
	if r.state != state.StateClaimed || r.Attempt != res.Attempt {
		return state.ErrFenced
	}
	r.result = res
	l.results = append(l.results, res)
	if l.finished != nil {
		select {
		case l.finished <- r.Destination:
		default:
		}
	}
	switch res.Outcome {
	case state.OutcomeDelivered:
		r.state = state.StateDelivered
	case state.OutcomeParked:
		r.state = state.StateParked
	case state.OutcomeRetry:
		r.state, r.due = state.StatePending, res.RetryAt
	}
	return nil
}

func (l *fakeLedger) Backlogs(context.Context) ([]state.Backlog, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.onRead != nil {
		if err := l.onRead(); err != nil {
			return nil, err
		}
	}
	by := map[stillcast.Destination]*state.Backlog{}
	var order []stillcast.Destination
	for _, r := range l.rows {
		b := by[r.Destination]
		if b == nil {
			b = &state.Backlog{Destination: r.Destination}
			by[r.Destination] = b
			order = append(order, r.Destination)
		}
		r.addTo(b)
	}
	var out []state.Backlog
	for _, d := range order {
		_, by[d].Paused = l.paused[d]
		out = append(out, *by[d])
	}
	return out, nil
}

func (l *fakeLedger) PauseDestination(_ context.Context, d stillcast.Destination, reason string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused == nil {
		l.paused = map[stillcast.Destination]string{}
	}
	l.paused[d] = reason
	return nil
}

func (l *fakeLedger) resume(d stillcast.Destination) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.paused, d)
}

func (l *fakeLedger) reason(d stillcast.Destination) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paused[d]
}

func (r *row) addTo(b *state.Backlog) {
	switch r.state {
	case state.StateWaiting:
		b.Waiting++
	case state.StatePending:
		b.Pending++
	case state.StateClaimed:
		b.Claimed++
	case state.StateParked:
		b.Parked++
		return
	case state.StateDelivered:
		return
	}
	if b.Oldest.IsZero() || r.Event.At.Before(b.Oldest) {
		b.Oldest = r.Event.At
	}
	if r.state != state.StateWaiting && (b.NextDue.IsZero() || r.due.Before(b.NextDue)) {
		b.NextDue = r.due
	}
}

// owe adds n deliveries that are due now.
func (l *fakeLedger) owe(d stillcast.Destination, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for range n {
		id := int64(len(l.rows) + 1)
		stream := stillcast.Stream{Domain: "push.example.com", App: "live", Name: "s"}
		l.rows = append(l.rows, &row{
			state: state.StatePending,
			due:   now,
			Delivery: state.Delivery{
				ID:          id,
				Destination: d,
				Sequence:    id,
				Shot: stillcast.Shot{
					Key: fmt.Sprintf("p/%d.jpg", id), Renditions: []stillcast.Rendition{{Key: fmt.Sprintf("p/%d-small.jpg", id)}},
				},
				Event: stillcast.Event{
					ID: fmt.Sprintf("e%d", id), Type: d.Event, Stream: stream, At: now,
					Fields: fieldsOf(d.Event),
				},
			},
		})
	}
}

// fieldsOf is an event that, of a shot, speaks of a rendition.
func fieldsOf(e stillcast.EventType) []byte {
	if e != stillcast.EventShot {
		return fmt.Appendf(nil, `{"event_type":%d,"stream_id":"s"}`, e)
	}
	return []byte(`{"event_type":200,"stillcast":{"renditions":[{}]},"stream_id":"s"}`)
}

// edit changes the rows in place.
func (l *fakeLedger) edit(change func(rows []*row)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l.rows)
}

// retried makes rows look as if they had been tried before.
func retried(rows []*row) {
	for _, r := range rows {
		r.Attempt, r.Try = 1, 1
	}
}

func (l *fakeLedger) asked() []state.Claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]state.Claim(nil), l.claims...)
}

func (l *fakeLedger) count(d stillcast.Destination, s state.DeliveryState) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.rows {
		if r.Destination == d && r.state == s {
			n++
		}
	}
	return n
}

func (l *fakeLedger) recorded() []state.Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]state.Result(nil), l.results...)
}

// fakeSettings are callback templates that a test changes as it goes.
type fakeSettings struct {
	mu sync.Mutex
	by map[int64]stillcast.CallbackTemplate
}

func (s *fakeSettings) CallbackTemplateByID(id int64) (stillcast.CallbackTemplate, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.by[id]
	return t, ok
}

func (s *fakeSettings) set(t stillcast.CallbackTemplate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[t.ID] = t
}

func (s *fakeSettings) remove(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, id)
}

// fakePictures gives URLs that tell when they were made.
type fakePictures struct {
	mu  sync.Mutex
	err error
}

func (p *fakePictures) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *fakePictures) URL(shot stillcast.Shot, now time.Time) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("http://pictures.test/%s?a=<1>&made=%d", shot.Key, now.Unix()), p.err
}

// memNet is a network of pipes, so that whole HTTP exchanges run in fake time.
type memNet struct {
	mu    sync.Mutex
	hosts map[string]chan net.Conn // by host:port
	dials []string
}

func (m *memNet) dial(ctx context.Context, _, address string) (net.Conn, error) {
	m.mu.Lock()
	host, ok := m.hosts[address]
	m.dials = append(m.dials, address)
	m.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("connect %s: connection refused", address)
	}
	client, server := net.Pipe()
	select {
	case host <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve runs a server for host:80 until the test ends.
func (m *memNet) serve(t *testing.T, host string, h http.HandlerFunc) {
	t.Helper()
	l := &memListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	m.mu.Lock()
	m.hosts[host+":80"] = l.conns
	m.mu.Unlock()
	s := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { _ = s.Serve(l); close(done) }()
	t.Cleanup(func() { s.Close(); <-done })
}

type memListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *memListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *memListener) Addr() net.Addr { return &net.TCPAddr{} }
