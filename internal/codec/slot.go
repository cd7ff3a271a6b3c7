package codec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// job is one try at a request.
type job struct {
	request *Request
	written chan struct{} // closed when the request's bytes are not needed any more
	result  chan result   // has room for the one result
}

type result struct {
	made *Result
	err  error
}

// Pause before a worker that failed to start is tried again: doubled with each failure.
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 10 * time.Second
)

// slot is one place for a worker: it gives jobs to its worker and replaces it.
type slot struct {
	pool     *Pool
	jobs     chan *job                   // for this one; unbuffered, as the pool's
	failures int                         // workers in a row that did not make a single shot
	seen     atomic.Pointer[WorkerState] // as it is now; nil while there is none
}

// run serves until the pool closes. It owns c.
func (s *slot) run(c *child) {
	for c != nil {
		s.pool.metrics.workers.Inc()
		began := time.Now()
		s.show(c, began)
		reason := s.use(c, began)
		s.seen.Store(nil)
		s.pool.metrics.workers.Dec()
		if reason == "" {
			return
		}
		s.pool.metrics.restarts.WithLabelValues(reason).Inc()
		c = s.replace()
	}
}

// use gives jobs to c until that is gone, and says why; "" for the end of the
// pool.
func (s *slot) use(c *child, began time.Time) string {
	for {
		if reason := s.worn(c); reason != "" {
			s.pool.log.Info("codec worker is replaced", "pid", c.pid(), "reason", reason, "shots", c.shots, "rss", c.usage.rss, "cpu", c.usage.cpu)
			c.retire()
			return reason
		}
		var j *job
		select {
		case <-s.pool.closing.Done():
			c.retire()
			return ""
		case <-c.exited:
			c.kill()
			s.pool.log.Warn("codec worker died", "pid", c.pid(), "end", c.end())
			if c.shots == 0 {
				s.failures++
			}
			return reasonDied
		case j = <-s.jobs:
		case j = <-s.pool.jobs:
		}
		if reason := s.serve(c, j); reason != "" {
			return reason
		}
		s.failures = 0
		if u, err := usageOf(c.pid()); err == nil { // else it has ended, which is seen above
			c.usage = u
		}
		s.show(c, began)
	}
}

// worn says why an idle worker should make no more shots, "" for one that may.
func (s *slot) worn(c *child) string {
	config := s.pool.config
	switch {
	case config.MaxRSS > 0 && c.usage.rss > config.MaxRSS:
		return reasonBloated
	case c.shots >= config.MaxShots:
		return reasonRecycled
	case config.CPULimit > 0 && c.usage.cpu > config.CPULimit-config.Timeout:
		// One more shot could be the one in which the kernel ends it.
		return reasonRecycled
	}
	return ""
}

// serve has c do a job. When it could not, c is gone and the reason is returned.
func (s *slot) serve(c *child, j *job) (reason string) {
	c.shots++
	a, err := s.exchange(c, j)
	if err == nil {
		if a.result != nil {
			a.result.Worker = c.pid()
		}
		j.result <- result{made: a.result, err: a.failure}
		return ""
	}
	// Who said nonsense or nothing is not asked again. Its own end comes first, to tell it from ours.
	c.kill()
	reason, err = s.explain(c, err)
	s.pool.log.Warn("codec worker was ended", "pid", c.pid(), "reason", reason, "error", err)
	j.result <- result{err: err}
	return reason
}

// exchange sends a request and reads the answer within the time that is allowed.
func (s *slot) exchange(c *child, j *job) (answer, error) {
	request := j.request
	deadlineErr := c.conn.SetDeadline(time.Now().Add(s.pool.config.Timeout))
	stop := c.interruptBy(s.pool.closing)
	defer stop()
	message := request.buffers()
	_, err := message.WriteTo(c.conn)
	asked := request.Pictures
	close(j.written)
	if err = errors.Join(deadlineErr, err); err != nil {
		return answer{}, fmt.Errorf("write request: %w", err)
	}
	return readAnswer(c.in, asked, s.pool.limits)
}

// explain turns a failed exchange into the error of the shot.
func (s *slot) explain(c *child, err error) (reason string, explained error) {
	switch {
	case s.pool.closing.Err() != nil:
		return reasonDied, ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return reasonTimeout, fmt.Errorf("%w: more than %s", ErrTimeout, s.pool.config.Timeout)
	case isGone(err):
		return reasonDied, fmt.Errorf("%w: %s", ErrWorkerDied, c.end())
	}
	return reasonProtocol, fmt.Errorf("%w: it answered nonsense: %w", ErrWorkerDied, err)
}

// replace starts workers until one is ready. It returns nil when the pool
// closes.
func (s *slot) replace() *child {
	for {
		if !s.pause(s.pool.closing) {
			return nil
		}
		c, err := s.pool.startChild(s.pool.closing)
		if err == nil {
			return c
		}
		if s.pool.closing.Err() != nil {
			return nil
		}
		s.failures++
		s.pool.metrics.restarts.WithLabelValues(reasonStart).Inc()
		s.pool.log.Error("codec worker did not start", "failures", s.failures, "error", err)
	}
}

// pause waits after failures, and reports whether ctx goes on.
func (s *slot) pause(ctx context.Context) bool {
	if s.failures == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(backoff(s.failures))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// backoff is the pause after a number of failures in a row.
func backoff(failures int) time.Duration {
	pause := minBackoff
	for range failures - 1 {
		if pause *= 2; pause >= maxBackoff {
			return maxBackoff
		}
	}
	return pause
}
