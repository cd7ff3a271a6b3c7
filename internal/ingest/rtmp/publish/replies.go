package publish

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// User control events that matter to a publisher (RTMP specification section
// 7.1.7).
const (
	eventPingRequest  = 6
	eventPingResponse = 7
)

// reply is a command of the server.
type reply struct {
	name        string
	transaction float64
	args        []any
}

// reply returns the next command of the server. It does on the way what the
// server asks for by control messages. Until the push has started Dial calls
// it, then the receiving goroutine.
func (c *Client) reply() (reply, error) {
	for {
		m, err := c.inbox.next()
		if err != nil {
			return reply{}, fmt.Errorf("read from the server: %w", explain(err))
		}
		if err := c.acknowledge(); err != nil {
			return reply{}, err
		}
		if m.Type == chunk.TypeCommandAMF0 {
			return parseReply(m.Payload)
		}
		if err := c.control(m); err != nil {
			return reply{}, err
		}
	}
}

// explain tells a closed connection from other errors of reading.
func explain(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrDisconnected
	case errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("%w: %w", ErrDisconnected, err)
	}
	return err
}

func parseReply(payload []byte) (reply, error) {
	values, err := amf0.Decode(payload, amf0.DefaultLimits())
	if len(values) >= 2 {
		name, isName := values[0].(string)
		transaction, isNumber := values[1].(float64)
		if isName && isNumber {
			return reply{name: name, transaction: transaction, args: values[2:]}, nil
		}
	}
	if err == nil {
		err = errors.New("a command begins with a name and a number")
	}
	return reply{}, fmt.Errorf("read command of the server: %w", err)
}

// control does what a control message asks for. The server's bandwidth limit
// is left to TCP, which does the same.
func (c *Client) control(m chunk.Message) error {
	p := m.Payload
	switch {
	case m.Type == chunk.TypeWindowAckSize && len(p) >= 4:
		c.inbox.window = binary.BigEndian.Uint32(p)
	case m.Type == chunk.TypeUserControl && len(p) >= 6 && binary.BigEndian.Uint16(p) == eventPingRequest:
		pong := binary.BigEndian.AppendUint16(nil, eventPingResponse)
		pong = append(pong, p[2:6]...)
		return c.send(chunk.Message{ChunkStream: controlStream, Type: chunk.TypeUserControl, Payload: pong})
	}
	return nil
}

// acknowledge tells the server what was received, as often as it asked for
// (RTMP specification section 5.4.3).
func (c *Client) acknowledge() error {
	in := c.inbox
	if in.window == 0 || in.received-in.acknowledged < in.window {
		return nil
	}
	in.acknowledged = in.received
	count := binary.BigEndian.AppendUint32(nil, in.received)
	return c.send(chunk.Message{ChunkStream: controlStream, Type: chunk.TypeAck, Payload: count})
}
