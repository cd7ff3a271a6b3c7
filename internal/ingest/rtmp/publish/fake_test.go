package publish_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// fake is a server that does what a test wants, well or not.
type fake struct {
	conn     net.Conn
	out      *chunk.Writer
	reader   *chunk.Reader
	pool     chunk.Pool
	messages []chunk.Message
}

// newFake does the server's part of the handshake.
func newFake(conn net.Conn) (*fake, error) {
	f := &fake{conn: conn, out: chunk.NewWriter(conn)}
	f.reader = chunk.NewReader(chunk.DefaultLimits(), &f.pool, f)
	var in [1 + 1536]byte
	if _, err := io.ReadFull(conn, in[:]); err != nil {
		return nil, err
	}
	s1 := bytes.Repeat([]byte{7}, 1536)
	if _, err := conn.Write(append(append([]byte{3}, s1...), in[1:]...)); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(conn, in[1:]); err != nil {
		return nil, err
	}
	if !bytes.Equal(in[1:], s1) {
		return nil, errors.New("C2 is not the echo of S1")
	}
	return f, nil
}

func (f *fake) Begin(chunk.Header, []byte) (*chunk.Budget, error) {
	return chunk.NewBudget(1 << 20), nil
}
func (f *fake) Shed(_ chunk.Header, err error) error { return err }
func (f *fake) Complete(h chunk.Header, payload []byte) error {
	f.messages = append(f.messages, chunk.Message{
		ChunkStream: h.ChunkStream, Type: h.Type, StreamID: h.StreamID, Timestamp: h.Timestamp, Payload: payload,
	})
	return nil
}

// next returns the next message of one of the types.
func (f *fake) next(types ...uint8) (chunk.Message, error) {
	buf := make([]byte, 4096)
	for {
		for i, m := range f.messages {
			if bytes.IndexByte(types, m.Type) >= 0 {
				f.messages = f.messages[i+1:]
				return m, nil
			}
		}
		f.messages = nil
		n, err := f.conn.Read(buf)
		if feedErr := f.reader.Feed(buf[:n]); feedErr != nil {
			return chunk.Message{}, feedErr
		}
		if err != nil {
			return chunk.Message{}, err
		}
	}
}

// until returns the transaction of the next command of that name.
func (f *fake) until(name string) (transaction any, err error) {
	for {
		m, err := f.next(chunk.TypeCommandAMF0)
		if err != nil {
			return nil, err
		}
		values, err := amf0.Decode(m.Payload, amf0.DefaultLimits())
		if err != nil {
			return nil, err
		}
		if values[0] == name {
			return values[1], nil
		}
	}
}

// say sends a command.
func (f *fake) say(values ...any) error {
	payload, err := amf0.Append(nil, values...)
	if err != nil {
		return err
	}
	return f.out.Write(chunk.Message{ChunkStream: 3, Type: chunk.TypeCommandAMF0, Payload: payload})
}

// answer waits for a command and answers it.
func (f *fake) answer(name string, args ...any) error {
	transaction, err := f.until(name)
	if err != nil {
		return err
	}
	return f.say(append([]any{"_result", transaction}, args...)...)
}

func info(level, code, description string) amf0.Object {
	return amf0.Object{
		{Name: "level", Value: level}, {Name: "code", Value: code}, {Name: "description", Value: description},
	}
}

// accept lets a publisher in.
func (f *fake) accept() error {
	if err := f.answer("connect", amf0.Object{}, info("status", "NetConnection.Connect.Success", "")); err != nil {
		return err
	}
	transaction, err := f.until("createStream")
	if err != nil {
		return err
	}
	// As servers do that do not know releaseStream.
	if err := f.say("_error", 2, nil, info("error", "NetConnection.Call.Failed", "releaseStream")); err != nil {
		return err
	}
	if err := f.say("_result", transaction, nil, 5); err != nil {
		return err
	}
	if _, err := f.until("publish"); err != nil {
		return err
	}
	return f.say("onStatus", 0, nil, info("status", "NetStream.Publish.Start", "go"))
}

// serve runs script for one connection, over TCP. wait returns its error.
func serve(t *testing.T, script func(*fake) error) (address string, wait func() error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	done := make(chan error, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		f, err := newFake(conn)
		if err == nil {
			err = script(f)
		}
		done <- err
	}()
	return ln.Addr().String(), func() error { return <-done }
}

// drain reads until the client closes.
func (f *fake) drain() error {
	_, err := io.Copy(io.Discard, f.conn)
	return err
}
