package capture

import (
	"container/heap"
	"context"
	"sync"
)

// queue orders jobs: first shots first, then by due time. It holds at most one
// job per stream, and is bounded in jobs and in the bytes of their access units.
type queue struct {
	limit      int
	limitBytes int64

	mu    sync.Mutex
	jobs  jobHeap
	bytes int64
	ready chan struct{} // holds a token while there may be jobs
}

func newQueue(cfg Config) *queue {
	return &queue{limit: cfg.Queue, limitBytes: cfg.QueueBytes, ready: make(chan struct{}, 1)}
}

// push adds j and returns the jobs that had to give way: the stream's own
// older one, and the last in order while the queue is too full (which may be j).
func (q *queue) push(j *job) (behind *job, full []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if old := j.stream.queued; old != nil {
		q.remove(old)
		behind = old
	}
	heap.Push(&q.jobs, j)
	q.bytes += j.size
	j.stream.queued = j
	for len(q.jobs) > q.limit || q.bytes > q.limitBytes {
		last := q.last()
		q.remove(last)
		full = append(full, last)
	}
	q.signal()
	return behind, full
}

func (q *queue) remove(j *job) {
	heap.Remove(&q.jobs, j.position)
	q.bytes -= j.size
	j.stream.queued = nil
}

func (q *queue) last() *job {
	last := q.jobs[0]
	for _, j := range q.jobs {
		if last.before(j) {
			last = j
		}
	}
	return last
}

// signal must be called with mu held.
func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// pop waits for the first job in order; nil when ctx ends.
func (q *queue) pop(ctx context.Context) *job {
	for {
		if j := q.tryPop(); j != nil {
			return j
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil
		}
	}
}

func (q *queue) tryPop() *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) == 0 {
		return nil
	}
	j := q.jobs[0]
	q.remove(j)
	if len(q.jobs) > 0 {
		q.signal()
	}
	return j
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs)
}

// jobHeap implements [heap.Interface].
type jobHeap []*job

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(a, b int) bool { return h[a].before(h[b]) }

func (h jobHeap) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].position, h[b].position = a, b
}

// Push implements [heap.Interface].
func (h *jobHeap) Push(x any) {
	j, _ := x.(*job)
	j.position = len(*h)
	*h = append(*h, j)
}

// Pop implements [heap.Interface].
func (h *jobHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return j
}
