package chunk

import "sync/atomic"

// Budget bounds the memory of messages that are half received, over all
// connections that share it. It is safe for concurrent use.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// NewBudget returns a Budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Used returns the bytes that are taken now.
func (b *Budget) Used() int64 { return b.used.Load() }

// Limit returns the bytes that may be taken.
func (b *Budget) Limit() int64 { return b.limit }

func (b *Budget) take(n int) bool {
	if b.used.Add(int64(n)) <= b.limit {
		return true
	}
	b.used.Add(-int64(n))
	return false
}

func (b *Budget) give(n int) { b.used.Add(-int64(n)) }
