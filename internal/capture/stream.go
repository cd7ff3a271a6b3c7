package capture

import (
	"log/slog"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// maxFailures is how often one due time is tried with another key frame after
// a failed one, so that a stream that cannot be decoded costs no more than a
// few decodes per interval.
const maxFailures = 3

// Stream captures one push. Its methods never block; they are called from one
// goroutine, Reload and the engine's workers aside.
type Stream struct {
	engine   *Engine
	push     stillcast.Push
	recorded <-chan struct{}
	log      *slog.Logger

	queued *job // guarded by the queue's lock

	mu       sync.Mutex
	config   *media.Config
	template stillcast.SnapshotTemplate
	active   bool // a rule gives this stream a template
	schedule schedule
	failures int
	picked   pick // of the last Want that said yes
}

// Configure gives the decoder configuration of the access units that follow.
func (s *Stream) Configure(c *media.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config = c
}

// Want reports whether the access unit that begins to arrive is to be kept.
func (s *Stream) Want(u media.Unit) bool {
	if !u.Key {
		return false
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedule.observe(now)
	if !s.active || s.config == nil {
		return false
	}
	p, ok := s.schedule.nearest(now)
	s.picked = p
	return ok
}

// Take queues a shot of au for the due time that Want found.
func (s *Stream) Take(au *media.AccessUnit) {
	s.mu.Lock()
	if !s.active {
		s.mu.Unlock()
		au.Release()
		return
	}
	j := &job{stream: s, unit: au, pick: s.picked, template: s.template, first: !s.schedule.started, size: int64(len(au.Data))}
	s.schedule.take(j.pick)
	s.mu.Unlock()
	s.engine.enqueue(j)
}

// Close ends the capture; shots that were taken already go on.
func (s *Stream) Close() { s.engine.forget(s) }

// reload looks up the template anew; a change acts at once.
func (s *Stream) reload() {
	t, ok := s.engine.opts.Template(s.push)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !ok:
		s.active, s.schedule.started = false, false
		return
	case s.active && s.template == t:
		return
	}
	s.template, s.active = t, true
	s.schedule.setInterval(t.Interval)
	s.log.Info("snapshot template in force", "template", t.Name, "interval", t.Interval)
}

// succeeded and failed are told by the engine how a shot ended.
func (s *Stream) succeeded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = 0
}

func (s *Stream) failed(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures++; s.failures < maxFailures {
		s.schedule.reopen(j.pick)
		return
	}
	s.failures = 0
}
