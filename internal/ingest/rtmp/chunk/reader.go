package chunk

import (
	"encoding/binary"
	"fmt"
)

// HeadSize is how many bytes of a message are looked at before it is decided
// whether the rest is kept.
const HeadSize = 32

// firstBytes is how much room a kept message gets at first: from there on its
// buffer doubles with what really arrives, because a length costs its sender
// nothing.
const firstBytes = 32 << 10

// Header describes a message whose payload is still coming in.
type Header struct {
	ChunkStream uint32
	Type        uint8
	StreamID    uint32
	Timestamp   uint32 // in milliseconds, absolute; it wraps at 2^32
	Length      int    // of the whole payload, in bytes
}

// handler is what a Reader gives messages to. An error of any method ends Feed,
// which returns it.
type handler interface {
	// Begin is called once per message, as soon as its first bytes are here:
	// HeadSize of them, or all when there are fewer. It returns the budget that
	// memory for the message is taken from, or nil to skip the message. The
	// head is valid until Begin returns.
	Begin(h Header, head []byte) (*Budget, error)
	// Complete hands over a message that was kept. The payload belongs to the
	// callee, who gives it back with Pool.Put.
	Complete(h Header, payload []byte) error
	// Shed is called when a message that should be kept is dropped with err,
	// which wraps ErrBudget. After nil the rest of the message is skipped.
	Shed(h Header, err error) error
}

// Reader puts messages together from chunks. Bytes are pushed into it, in
// pieces of any size. It handles the messages that concern chunks (SetChunkSize
// and Abort) itself, copies nothing of a message that is skipped, and refuses
// what is over its limits. It is not safe for concurrent use.
type Reader struct {
	lim     Limits
	pool    *Pool
	handler handler

	size    int       // of the peer's chunks
	streams []*stream // few: searched one by one
	open    int       // messages begun and not complete

	cur  *stream // whose chunk is being read
	left int     // bytes of that chunk's payload still to come

	pending [maxHeader]byte // the start of a header that is not complete
	held    int             // bytes in pending
}

// stream is the state of one chunk stream.
type stream struct {
	Header
	delta    uint32 // of timestamps, between messages
	extended bool   // the last header had an extended timestamp
	extValue uint32 // and this one it was
	open     bool   // a message has begun and is not complete
	decided  bool   // Begin was called for it
	got      int    // bytes of its payload so far

	head   [HeadSize]byte
	budget *Budget // nil: the message is skipped
	buf    []byte
}

// NewReader returns a Reader that takes buffers from pool.
func NewReader(lim Limits, pool *Pool, h handler) *Reader {
	return &Reader{lim: lim, pool: pool, handler: h, size: DefaultSize}
}

// Feed reads the next bytes of the connection. After an error the Reader must
// not be fed again.
func (r *Reader) Feed(data []byte) error {
	for len(data) > 0 {
		if r.left > 0 {
			n := min(r.left, len(data))
			r.left -= n
			if err := r.body(r.cur, data[:n]); err != nil {
				return err
			}
			data = data[n:]
			continue
		}
		n, err := r.nextHeader(data)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// Close gives back the memory of messages that never became complete.
func (r *Reader) Close() {
	for _, s := range r.streams {
		r.drop(s)
	}
	r.streams, r.cur = nil, nil
}

// Missing returns how many bytes must come at least until the next message that
// is kept is complete; 0 when no such message has begun.
func (r *Reader) Missing() int {
	least := 0
	for _, s := range r.streams {
		if s.budget == nil {
			continue
		}
		n, left := s.Length-s.got, 0
		if s == r.cur {
			left = r.left
		}
		n += (n - left + r.size - 1) / r.size // each further chunk has a header of one byte or more
		if least == 0 || n < least {
			least = n
		}
	}
	return least
}

// body takes payload bytes of s's message, at most as many as are missing.
func (r *Reader) body(s *stream, p []byte) error {
	if !s.decided {
		n := copy(s.head[s.got:min(HeadSize, s.Length)], p)
		s.got += n
		p = p[n:]
		if s.got < min(HeadSize, s.Length) {
			return nil
		}
		if err := r.begin(s); err != nil {
			return err
		}
	}
	s.got += len(p)
	if s.budget != nil {
		if err := r.keep(s, p); err != nil {
			return err
		}
	}
	if s.got < s.Length {
		return nil
	}
	return r.complete(s)
}

// begin decides what becomes of a message whose first bytes are here.
func (r *Reader) begin(s *stream) error {
	s.decided = true
	head := s.head[:s.got]
	if s.Type == TypeSetChunkSize || s.Type == TypeAbort {
		return r.control(s, head)
	}
	budget, err := r.handler.Begin(s.Header, head)
	if err != nil || budget == nil {
		return err
	}
	if err := r.checkLength(s.Header); err != nil {
		return err
	}
	s.budget = budget
	return r.keep(s, head)
}

func (r *Reader) checkLength(h Header) error {
	limit, err := r.lim.CommandBytes, ErrCommandBytes
	if h.Type == TypeVideo {
		limit, err = r.lim.VideoBytes, ErrVideoBytes
	}
	if h.Length > limit {
		return fmt.Errorf("%w: %d bytes announced, at most %d are allowed", err, h.Length, limit)
	}
	return nil
}

// keep appends p to the message's buffer, which grows as the budget allows.
func (r *Reader) keep(s *stream, p []byte) error {
	if need := len(s.buf) + len(p); need > cap(s.buf) || s.buf == nil {
		if err := r.grow(s, need); err != nil {
			r.release(s)
			return r.handler.Shed(s.Header, err)
		}
	}
	s.buf = append(s.buf, p...)
	return nil
}

func (r *Reader) grow(s *stream, need int) error {
	size := 1 << class(max(need, min(s.Length, firstBytes)))
	if !s.budget.take(size) {
		return fmt.Errorf("%w: %d bytes more are needed, %d of %d are in use", ErrBudget, size, s.budget.Used(), s.budget.Limit())
	}
	old := s.buf
	s.buf = append(r.pool.Get(size), old...)
	if old != nil {
		s.budget.give(cap(old))
		r.pool.Put(old)
	}
	return nil
}

// complete ends a message whose last byte is here.
func (r *Reader) complete(s *stream) error {
	buf, budget := s.buf, s.budget
	s.buf, s.budget = nil, nil
	r.close(s)
	if budget == nil {
		return nil
	}
	budget.give(cap(buf))
	return r.handler.Complete(s.Header, buf)
}

// drop forgets the message that is half received on s, if there is one.
func (r *Reader) drop(s *stream) {
	if !s.open {
		return
	}
	r.release(s)
	r.close(s)
}

func (r *Reader) close(s *stream) {
	s.open, s.decided, s.got = false, false, 0
	r.open--
}

// release gives the message's memory back; what is still to come is skipped.
func (r *Reader) release(s *stream) {
	if s.buf != nil {
		s.budget.give(cap(s.buf))
		r.pool.Put(s.buf)
	}
	s.buf, s.budget = nil, nil
}

// control obeys a message about chunks (specification sections 5.4.1, 5.4.2).
func (r *Reader) control(s *stream, payload []byte) error {
	if s.Length != 4 {
		return fmt.Errorf("%w: type %d with %d bytes, expected 4", ErrControl, s.Type, s.Length)
	}
	value := binary.BigEndian.Uint32(payload)
	if s.Type == TypeAbort {
		// Not s itself: its message is this one, which is complete.
		if other := r.find(value); other != nil && other != s {
			r.drop(other)
		}
		return nil
	}
	if value == 0 || uint64(value) > uint64(r.lim.ChunkBytes) { //nolint:gosec // Validate bounds the limit
		return fmt.Errorf("%w: %d bytes announced, allowed are 1 to %d", ErrChunkSize, value, r.lim.ChunkBytes)
	}
	r.size = int(value)
	return nil
}

func (r *Reader) find(id uint32) *stream {
	if r.cur != nil && r.cur.ChunkStream == id {
		return r.cur
	}
	for _, s := range r.streams {
		if s.ChunkStream == id {
			return s
		}
	}
	return nil
}
