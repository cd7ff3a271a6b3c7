package capture

import (
	"container/heap"
	"context"
	"sync"
)

// queue orders jobs: first shots first, then by due time. Those of key frames go
// before slow ones, of which only so many are in the making at once. It holds at
// most one job per plan of a stream, and is bounded in jobs and in the bytes of the access units
// that ingest lent.
type queue struct {
	limit      int
	limitBytes int64
	slowSlots  int

	mu    sync.Mutex
	fast  jobHeap
	slow  jobHeap
	busy  int // slow jobs in the making
	bytes int64
	ready chan struct{} // holds a token while there may be jobs
}

func newQueue(cfg Config, slowSlots int) *queue {
	return &queue{limit: cfg.Queue, limitBytes: cfg.QueueBytes, slowSlots: slowSlots, ready: make(chan struct{}, 1)}
}

// lane returns the heap that j is in, or goes to.
func (q *queue) lane(j *job) *jobHeap {
	if j.slow() {
		return &q.slow
	}
	return &q.fast
}

// push adds j and returns the jobs that had to give way: the plan's own
// older one, and the last in order while the queue is too full (which may be j).
func (q *queue) push(j *job) (behind *job, full []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if old := j.plan.queued; old != nil {
		q.remove(old)
		behind = old
	}
	heap.Push(q.lane(j), j)
	q.bytes += j.size
	j.plan.queued = j
	for len(q.fast)+len(q.slow) > q.limit {
		full = append(full, q.removeLast(q.slow, q.fast))
	}
	for q.bytes > q.limitBytes { // only fast ones count
		full = append(full, q.removeLast(q.fast))
	}
	q.signal()
	return behind, full
}

func (q *queue) remove(j *job) {
	heap.Remove(q.lane(j), j.position)
	q.bytes -= j.size
	j.plan.queued = nil
}

// removeLast removes the last job in order of the first lane that has any.
func (q *queue) removeLast(lanes ...jobHeap) *job {
	for _, lane := range lanes {
		if len(lane) == 0 {
			continue
		}
		last := lane[0]
		for _, j := range lane {
			if last.before(j) {
				last = j
			}
		}
		q.remove(last)
		return last
	}
	return nil
}

// signal must be called with mu held.
func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// pop waits for the first job in order; nil when ctx ends. Who gets a slow job calls done
// when it is made.
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
	var j *job
	switch {
	case len(q.fast) > 0:
		j = q.fast[0]
	case len(q.slow) > 0 && q.busy < q.slowSlots:
		j = q.slow[0]
		q.busy++
	default:
		return nil
	}
	q.remove(j)
	if len(q.fast)+len(q.slow) > 0 {
		q.signal()
	}
	return j
}

// done notes that a job that pop returned is made.
func (q *queue) done(j *job) {
	if !j.slow() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy--
	q.signal()
}

// drain removes all jobs.
func (q *queue) drain() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []*job
	for len(q.fast)+len(q.slow) > 0 {
		all = append(all, q.removeLast(q.slow, q.fast))
	}
	return all
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.fast) + len(q.slow)
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
