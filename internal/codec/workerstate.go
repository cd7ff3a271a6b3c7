package codec

import "time"

// WorkerState is how a worker is that is ready or busy.
type WorkerState struct {
	PID     int
	Started time.Time
	Shots   int           // that it was asked for
	RSS     int64         // memory that it held after the last one, in bytes; 0 before
	CPU     time.Duration // that it has taken by then
}

// Workers returns how the workers are, in an order that stays. One that is being
// replaced is missing.
func (p *Pool) Workers() []WorkerState {
	all := make([]WorkerState, 0, len(p.seats))
	for _, s := range p.seats {
		if seen := s.seen.Load(); seen != nil {
			all = append(all, *seen)
		}
	}
	return all
}

// show makes known how a slot's worker is.
func (s *slot) show(c *child, began time.Time) {
	s.seen.Store(&WorkerState{PID: c.pid(), Started: began, Shots: c.shots, RSS: c.usage.rss, CPU: c.usage.cpu})
}
