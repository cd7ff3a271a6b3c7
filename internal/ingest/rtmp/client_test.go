package rtmp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// client is a publisher by hand, so that it can do wrong.
type client struct {
	t       testing.TB
	conn    net.Conn
	w       *chunk.Writer
	replies chan reply // closed at the end of the connection
}

// reply is a message of the server.
type reply struct {
	kind    uint8
	values  []any  // of a command
	payload []byte // of another message
}

// code returns the code of an onStatus or of a connect's result.
func (r reply) code() string {
	if len(r.values) < 4 {
		return ""
	}
	info, _ := r.values[3].(amf0.Object)
	code, _ := info.Get("code")
	s, _ := code.(string)
	return s
}

func (r reply) description() string {
	info, _ := r.values[3].(amf0.Object)
	value, _ := info.Get("description")
	s, _ := value.(string)
	return s
}

func dial(t testing.TB, address net.Addr) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), address.Network(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// newClient connects and shakes hands.
func newClient(t testing.TB, address net.Addr) *client {
	t.Helper()
	return clientOn(t, dial(t, address), nil)
}

// clientOn shakes hands on a connection, after the bytes of first.
func clientOn(t testing.TB, conn net.Conn, first []byte) *client {
	t.Helper()
	c := &client{t: t, conn: conn, replies: make(chan reply, 1000)}
	c.w = chunk.NewWriter(c.conn)
	hello := bytes.Repeat([]byte{7}, 1+handshakeSize)
	hello[0] = rtmpVersion
	c.write(append(first, hello...))
	answer := make([]byte, 1+2*handshakeSize)
	if _, err := io.ReadFull(c.conn, answer); err != nil {
		t.Fatal(err)
	}
	if answer[0] != rtmpVersion || !bytes.Equal(answer[1+handshakeSize:], hello[1:]) {
		t.Fatal("S0 is no version 3 or S2 does not echo C1")
	}
	c.write(answer[1 : 1+handshakeSize])
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read()
	}()
	t.Cleanup(func() {
		c.conn.Close()
		<-done
	})
	return c
}

func (c *client) read() {
	defer close(c.replies)
	r := chunk.NewReader(chunk.DefaultLimits(), new(chunk.Pool), &replyHandler{c: c, budget: chunk.NewBudget(1 << 30)})
	defer r.Close()
	buf := make([]byte, 4096)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			return
		}
		if err := r.Feed(buf[:n]); err != nil {
			c.t.Errorf("the server's chunks: %v", err)
			return
		}
	}
}

type replyHandler struct {
	c      *client
	budget *chunk.Budget
}

func (h *replyHandler) Begin(chunk.Header, []byte) (*chunk.Budget, error) { return h.budget, nil }
func (h *replyHandler) Shed(_ chunk.Header, err error) error              { return err }

func (h *replyHandler) Complete(head chunk.Header, payload []byte) error {
	r := reply{kind: head.Type, payload: payload}
	if head.Type == chunk.TypeCommandAMF0 {
		var err error
		if r.values, err = amf0.Decode(payload, amf0.DefaultLimits()); err != nil {
			return fmt.Errorf("reply: %w", err)
		}
	}
	h.c.replies <- r
	return nil
}

// write sends raw bytes; that the server hangs up is no error here.
func (c *client) write(b []byte) {
	_, _ = c.conn.Write(b)
}

func (c *client) send(m chunk.Message) {
	if m.ChunkStream == 0 {
		m.ChunkStream = 4
	}
	_ = c.w.Write(m)
}

func (c *client) command(values ...any) {
	c.t.Helper()
	c.send(commandMessage(c.t, values...))
}

func commandMessage(t testing.TB, values ...any) chunk.Message {
	t.Helper()
	payload, err := amf0.Append(nil, values...)
	if err != nil {
		t.Fatal(err)
	}
	return chunk.Message{ChunkStream: 3, Type: chunk.TypeCommandAMF0, StreamID: 1, Payload: payload}
}

func (c *client) video(timestamp uint32, payload ...byte) {
	c.send(chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Timestamp: timestamp, Payload: payload})
}

func (c *client) setChunkSize(n uint32) {
	c.send(chunk.Message{ChunkStream: 2, Type: chunk.TypeSetChunkSize, Payload: binary.BigEndian.AppendUint32(nil, n)})
	c.w.SetChunkSize(int(n))
}

func (c *client) connect() {
	c.t.Helper()
	c.command("connect", 1.0, amf0.Object{{Name: "app", Value: "live"}, {Name: "tcUrl", Value: "rtmp://Push.Example.com:1935/live"}})
	c.expect(statusConnected)
}

func (c *client) publish() {
	c.t.Helper()
	c.connect()
	c.command("createStream", 2.0, nil)
	c.command("publish", 3.0, nil, "stream1?txSecret=ab&txTime=cd", "live")
	c.expect(statusPublishStart)
}

// next returns the next reply; ok is false at the end of the connection.
func (c *client) next() (r reply, ok bool) {
	c.t.Helper()
	select {
	case r, ok = <-c.replies:
		return r, ok
	case <-time.After(20 * time.Second):
		c.t.Fatal("no reply")
		return reply{}, false
	}
}

// expect skips replies up to the status with this code and returns it.
func (c *client) expect(code string) reply {
	c.t.Helper()
	for {
		r, ok := c.next()
		if !ok {
			c.t.Fatalf("the connection ended before %s", code)
		}
		if r.code() == code {
			return r
		}
		if s := r.code(); s != "" {
			c.t.Fatalf("status %s (%s), want %s", s, r.description(), code)
		}
	}
}

// expectEnd skips replies up to the end of the connection.
func (c *client) expectEnd() {
	c.t.Helper()
	for {
		if _, ok := c.next(); !ok {
			return
		}
	}
}

// ping waits until the server has read all that was sent.
func (c *client) ping() {
	c.t.Helper()
	c.send(chunk.Message{ChunkStream: 2, Type: chunk.TypeUserControl, Payload: []byte{0, 6, 1, 2, 3, 4}})
	for {
		r, ok := c.next()
		if !ok {
			c.t.Fatal("the connection ended before the pong")
		}
		if r.kind != chunk.TypeUserControl {
			continue
		}
		if want := []byte{0, 7, 1, 2, 3, 4}; !bytes.Equal(r.payload, want) {
			c.t.Fatalf("pong %x, want %x", r.payload, want)
		}
		return
	}
}

// avcHeader returns a sequence header: 320x180 pixels, by x264.
func avcHeader() []byte {
	return append([]byte{0x17, 0, 0, 0, 0}, avcRecord()...)
}

func avcRecord() []byte {
	return []byte("\x01\x64\x00\x0d\xff\xe1\x00\x1a\x67\x64\x00\x0d\xac\xd9\x41\x41\x9f\x9f\x01\x10\x00\x00\x03\x00" +
		"\x10\x00\x00\x03\x03\x20\xf1\x42\x99\x60\x01\x00\x05\x68\xeb\xec\xb2\x2c\xfd\xf8\xf8\x00")
}

// keyFrame returns a video message with size bytes of picture.
func keyFrame(size int) []byte {
	return append([]byte{0x17, 1, 0, 0, 0}, bytes.Repeat([]byte{0x65}, size)...)
}
