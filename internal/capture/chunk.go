package capture

import "sync/atomic"

// budget is memory that may be used, in bytes. It is safe for concurrent use.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take reports whether n more bytes are within the limit; then they are used.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	return false
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// Sizes of chunks in bytes. They grow with the group, so that a small one wastes
// little and a large one has few.
const (
	minChunk = 16 << 10
	maxChunk = 512 << 10
)

// chunk is a piece of memory that access units are kept in, one after the
// other. What is written is never changed, so a group and the jobs that were
// made of it share it. It counts against its budget until the last of
// them lets it go.
type chunk struct {
	data   []byte // of the fixed capacity size
	size   int64
	owners atomic.Int32
	budget *budget
}

// newChunk returns a chunk with one owner; nil when the budget does not allow it.
func newChunk(b *budget, size int) *chunk {
	if !b.take(int64(size)) {
		return nil
	}
	c := &chunk{data: make([]byte, 0, size), size: int64(size), budget: b}
	c.owners.Store(1)
	return c
}

// room says whether n more bytes fit.
func (c *chunk) room(n int) bool { return n <= cap(c.data)-len(c.data) }

// put copies b, for which there must be room, and returns the copy.
func (c *chunk) put(b []byte) []byte {
	begin := len(c.data)
	c.data = append(c.data, b...)
	return c.data[begin:len(c.data):len(c.data)]
}

func (c *chunk) hold() { c.owners.Add(1) }

func (c *chunk) letGo() {
	if c.owners.Add(-1) == 0 {
		c.budget.give(c.size)
	}
}
