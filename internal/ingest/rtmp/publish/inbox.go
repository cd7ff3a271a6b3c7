package publish

import (
	"bytes"
	"io"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

const (
	// readSize is how much is read from the server at once, in bytes: it sends
	// little.
	readSize = 4 << 10
	// replyBudget bounds the memory of half-received messages, in bytes.
	replyBudget = 256 << 10
	// replyStreams is how many chunk streams the server may use.
	replyStreams = 16
)

// inbox puts together the server's messages that matter to a publisher:
// commands and requests. It is used by one goroutine at a time.
type inbox struct {
	r      io.Reader
	buf    []byte
	reader *chunk.Reader
	pool   *chunk.Pool
	budget *chunk.Budget
	queue  []chunk.Message // complete, and not handed out yet: from one read

	received     uint32 // bytes so far; it wraps, as acknowledgements do
	acknowledged uint32 // received, when the server was last told
	window       uint32 // bytes after which the server wants to be told; 0 for never
}

func newInbox(r io.Reader) *inbox {
	lim := chunk.DefaultLimits()
	lim.MessageBytes = lim.CommandBytes
	lim.ChunkStreams = replyStreams
	in := &inbox{r: r, buf: make([]byte, readSize), pool: new(chunk.Pool), budget: chunk.NewBudget(replyBudget)}
	in.reader = chunk.NewReader(lim, in.pool, (*collector)(in))
	return in
}

// next returns the next message.
func (in *inbox) next() (chunk.Message, error) {
	for len(in.queue) == 0 {
		n, err := in.r.Read(in.buf)
		in.received += uint32(n) //nolint:gosec // at most readSize
		if feedErr := in.reader.Feed(in.buf[:n]); feedErr != nil {
			return chunk.Message{}, feedErr
		}
		// What came together with the error is handed out first.
		if err != nil && len(in.queue) == 0 {
			return chunk.Message{}, err
		}
	}
	m := in.queue[0]
	in.queue = in.queue[1:]
	return m, nil
}

// collector is the inbox as the chunk reader sees it.
type collector inbox

// Begin keeps what a publisher obeys; the chunk reader obeys the rest.
func (c *collector) Begin(h chunk.Header, _ []byte) (*chunk.Budget, error) {
	switch h.Type {
	case chunk.TypeCommandAMF0, chunk.TypeUserControl, chunk.TypeWindowAckSize:
		return c.budget, nil
	}
	return nil, nil
}

// Complete queues a message.
func (c *collector) Complete(h chunk.Header, payload []byte) error {
	c.queue = append(c.queue, chunk.Message{
		ChunkStream: h.ChunkStream, Type: h.Type, StreamID: h.StreamID, Timestamp: h.Timestamp,
		Payload: bytes.Clone(payload),
	})
	c.pool.Put(payload)
	return nil
}

// Shed refuses a server that fills the memory with what it never completes.
func (*collector) Shed(_ chunk.Header, err error) error { return err }
