package capture

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// Stream captures one push. Its methods never block; they are called from one
// goroutine, Reload and the engine's workers aside.
//
// Its plans share what is known of the stream, and the access units that are kept
// of it.
type Stream struct {
	engine   *Engine
	push     stillcast.Push
	recorded <-chan struct{}
	log      *slog.Logger

	reloading sync.Mutex // so that plans that were looked up first never come last

	mu     sync.Mutex
	plans  []*plan
	closed bool
	config *media.Config
	starts starts
	keys   rhythm
	poison poison

	group    *group // access units that are kept; nil for none
	count    uint64 // of all access units that were kept
	line     timeline
	barred   string        // why no frame is exact until the next start point; "" if that is not so
	unitCost time.Duration // smoothed time that decoding an access unit takes; 0 while unknown
}

// Configure gives the decoder configuration of the access units that follow.
func (s *Stream) Configure(c *media.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config = c
	s.start()
}

// start forgets what is kept of the access units so far.
func (s *Stream) start() {
	for _, p := range s.plans {
		if p.feed != nil {
			p.giveUpFeed()
		}
	}
	s.drop()
	s.line = timeline{}
}

// Want reports whether the access unit that begins to arrive is to be kept.
func (s *Stream) Want(u media.Unit) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.Key && !s.starts.lying {
		s.starts.last = now
		s.keys.observe(now)
	}
	if s.config == nil {
		return false
	}
	look := u.Key || s.starts.search(now, s.keys.every)
	wanted, live := false, false
	for _, p := range s.plans {
		if !p.over(now) {
			live = true
			wanted = p.want(now, u.DTS, look) || wanted
		}
	}
	if !live {
		s.drop() // or it would have a gap
	}
	return wanted || s.group.open()
}

// Take hands over an access unit that Want said yes to. It may become a shot at
// once, or several, be kept for one, or be let go.
func (s *Stream) Take(au *media.AccessUnit) {
	a := arrive(au)
	s.mu.Lock()
	jobs := s.take(a)
	s.mu.Unlock()
	a.letGo()
	for _, j := range jobs {
		s.engine.enqueue(j)
	}
}

func (s *Stream) take(a *arrival) (jobs []*job) {
	if len(s.plans) == 0 {
		return nil
	}
	s.starts.looked(a.Key, a.start.Kind, a.Arrived)
	if s.group != nil && s.group.config != a.Config {
		s.start()
	}
	a.shown, a.bound = s.line.place(a.Unit, a.Arrived)
	s.keepUnit(a)
	for _, p := range s.plans {
		if p.over(a.Arrived) {
			continue
		}
		if j := p.take(a); j != nil {
			jobs = append(jobs, j)
		}
	}
	s.trim()
	return jobs
}

func (s *Stream) poisonous(j *job) bool {
	return s.poison.n > 0 && s.poison.has(fingerprint(s.engine.seed, j.config, j.units[0]))
}

// Close ends the capture; shots that were taken already go on.
func (s *Stream) Close() {
	s.mu.Lock()
	s.start()
	s.closed, s.plans = true, nil
	s.mu.Unlock()
	s.engine.forget(s)
}

// reload looks up the plans anew; a change acts at once. Shots that were taken
// already go on.
func (s *Stream) reload() {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	wanted := s.engine.opts.Plans(s.push)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.plans = slices.DeleteFunc(s.plans, func(p *plan) bool {
		gone := !slices.ContainsFunc(wanted, func(w Plan) bool { return w.ID == p.ID })
		if gone {
			p.feed = nil
			p.log.Info("snapshot template no longer in force", "template", p.Template.Name)
		}
		return gone
	})
	for _, w := range wanted {
		i := slices.IndexFunc(s.plans, func(p *plan) bool { return p.ID == w.ID })
		if i < 0 {
			s.plans = append(s.plans, newPlan(s, w))
		} else {
			s.plans[i].change(w)
		}
	}
	s.dropUnneeded()
}

// planned says whether the stream has any plan.
func (s *Stream) planned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.plans) > 0
}
