package chunk

import (
	"math/bits"
	"sync"
)

// Size classes of buffers, as powers of two.
const (
	minClass = 12 // 4 KiB
	maxClass = 24 // 16 MiB, more than the longest message
)

// Pool keeps the buffers of messages, in classes of doubling size from 4 KiB to
// 16 MiB. It is safe for concurrent use; the garbage collector empties it. Its
// zero value is ready.
type Pool struct {
	classes [maxClass - minClass + 1]sync.Pool // of *[]byte
}

// Get returns an empty buffer with room for at least size bytes; size is at
// most [MaxPayload].
func (p *Pool) Get(size int) []byte {
	c := class(size)
	if b, ok := p.classes[c-minClass].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 1<<c)
}

// Put takes a buffer back that came from Get, with whatever length it has now.
// Others are left to the garbage collector.
func (p *Pool) Put(b []byte) {
	c := class(cap(b))
	if cap(b) != 1<<c {
		return
	}
	p.classes[c-minClass].Put(&b)
}

// class returns the smallest class that holds size bytes.
func class(size int) int {
	if size <= 1<<minClass {
		return minClass
	}
	return min(bits.Len(uint(size-1)), maxClass) //nolint:gosec // above zero
}
