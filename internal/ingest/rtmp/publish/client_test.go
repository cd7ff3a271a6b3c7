package publish_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/media/flv"
	"github.com/stillcast/stillcast/internal/media/flv/flvtest"
)

var someVideo = flv.Tag{Type: flv.Video, Timestamp: 40, Data: []byte{0x27, 1, 0, 0, 0}}

func TestServerEndsThePush(t *testing.T) {
	tests := []struct {
		name string
		end  func(*fake) error
		text string
	}{
		{
			"status", func(f *fake) error {
				return f.say("onStatus", 0, nil, info("error", "NetStream.Publish.Failed", "dropped by an operator"))
			},
			"server ended the push: NetStream.Publish.Failed: dropped by an operator",
		},
		{
			"status, then closed", func(f *fake) error {
				defer f.conn.Close()
				return f.say("onStatus", 0, nil, info("error", "NetStream.Publish.Failed", "dropped by an operator"))
			},
			"server ended the push: NetStream.Publish.Failed: dropped by an operator",
		},
		{
			"unpublish", func(f *fake) error {
				return f.say("onStatus", 0, nil, info("status", "NetStream.Unpublish.Success", "server is shutting down"))
			},
			"server ended the push: NetStream.Unpublish.Success: server is shutting down",
		},
		{"close command", func(f *fake) error { return f.say("close", 0, nil) }, "server ended the push"},
		{"closed", func(f *fake) error { return f.conn.Close() }, "server closed the connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, wait := serve(t, func(f *fake) error {
				err := f.accept()
				if err == nil {
					_, err = f.next(chunk.TypeVideo)
				}
				err = errors.Join(err, f.say("onBWDone", 0, nil), f.say("onStatus", 0, nil, info("status", "NetStream.Data.Start", "")), tt.end(f))
				f.drain() //nolint:errcheck // it may be closed already
				return err
			})
			client, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/s", publish.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Err(); err != nil {
				t.Errorf("Err: %v, want nil while the push goes on", err)
			}
			if err := client.Write(someVideo); err != nil {
				t.Errorf("Write: %v", err)
			}
			<-client.Done()
			err = client.Write(someVideo)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Write: %v, want %q", err, tt.text)
			}
			var status *publish.StatusError
			if isStatus := errors.As(err, &status); isStatus == errors.Is(err, publish.ErrDisconnected) {
				t.Errorf("Write: %v, want either a StatusError or ErrDisconnected", err)
			}
			if closeErr := client.Close(); closeErr == nil || closeErr.Error() != err.Error() {
				t.Errorf("Close: %v, want the reason again: %v", closeErr, err)
			}
			if err := wait(); err != nil {
				t.Errorf("server: %v", err)
			}
		})
	}
}

// A server may say why only after the last tag.
func TestCloseReportsLateStatus(t *testing.T) {
	address, wait := serve(t, func(f *fake) error {
		err := f.accept()
		if err == nil {
			_, err = f.until("deleteStream")
		}
		return errors.Join(err, f.say("onStatus", 0, nil, info("error", "NetStream.Publish.Failed", "disk full")), f.drain())
	})
	client, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/s", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = client.Close()
	var status *publish.StatusError
	if !errors.As(err, &status) || status.Description != "disk full" {
		t.Errorf("Close: %v, want what the server said", err)
	}
	if again := client.Close(); again != err { //nolint:errorlint // the same value is wanted
		t.Errorf("second Close: %v, want %v", again, err)
	}
	if err := client.Write(someVideo); !errors.Is(err, publish.ErrClosed) {
		t.Errorf("Write after Close: %v, want %v", err, publish.ErrClosed)
	}
	if err := wait(); err != nil {
		t.Errorf("server: %v", err)
	}
}

// The same status is the ordinary answer to the end of a push.
func TestCloseTakesUnpublishAsAnswer(t *testing.T) {
	address, wait := serve(t, func(f *fake) error {
		err := f.accept()
		if err == nil {
			_, err = f.until("deleteStream")
		}
		return errors.Join(err, f.say("onStatus", 0, nil, info("status", "NetStream.Unpublish.Success", "bye")), f.drain())
	})
	client, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/s", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(client.Close(), wait()); err != nil {
		t.Error(err)
	}
}

func TestAnswersPingsAndAcknowledges(t *testing.T) {
	answered := make(chan struct{})
	address, wait := serve(t, func(f *fake) error {
		if err := f.accept(); err != nil {
			return err
		}
		window := chunk.Message{ChunkStream: 2, Type: chunk.TypeWindowAckSize, Payload: binary.BigEndian.AppendUint32(nil, 64)}
		ping := chunk.Message{ChunkStream: 2, Type: chunk.TypeUserControl, Payload: []byte{0, 6, 1, 2, 3, 4}}
		if err := errors.Join(f.out.Write(window), f.out.Write(ping)); err != nil {
			return err
		}
		for range 2 { // in any order
			m, err := f.next(chunk.TypeUserControl, chunk.TypeAck)
			if err != nil {
				return err
			}
			if m.Type == chunk.TypeUserControl && !bytes.Equal(m.Payload, []byte{0, 7, 1, 2, 3, 4}) {
				return errors.New("the pong is not the ping's")
			}
			if m.Type == chunk.TypeAck && binary.BigEndian.Uint32(m.Payload) < 64 {
				return errors.New("acknowledged too early")
			}
		}
		close(answered)
		return f.drain()
	})
	client, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/s", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-answered:
	case <-client.Done():
	}
	if err := client.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := wait(); err != nil {
		t.Errorf("server: %v", err)
	}
}

// stuck is a push to a server that stops reading after the start.
func stuck(t *testing.T, opts publish.Options) *publish.Client {
	t.Helper()
	here, there := net.Pipe()
	opts.Dial = func(context.Context, string, string) (net.Conn, error) { return here, nil }
	t.Cleanup(func() { there.Close() })
	accepted := make(chan error, 1)
	go func() {
		f, err := newFake(there)
		if err == nil {
			err = f.accept()
		}
		accepted <- err
	}()
	client, err := publish.Dial(t.Context(), "rtmp://h/live/s", opts)
	if err := errors.Join(err, <-accepted); err != nil {
		t.Fatal(err)
	}
	return client
}

func TestWriteTakesNoLongerThanItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := stuck(t, publish.Options{Timeout: 5 * time.Second})
		started := time.Now()
		err := client.Write(someVideo)
		if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "send to the server") {
			t.Errorf("Write: %v, want that sending took too long", err)
		}
		if again := client.Write(someVideo); again != err { //nolint:errorlint // the same value is wanted
			t.Errorf("second Write: %v, want %v", again, err)
		}
		if closeErr := client.Close(); closeErr != err { //nolint:errorlint // the same value is wanted
			t.Errorf("Close: %v, want %v", closeErr, err)
		}
		if took := time.Since(started); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("Write and Close took %s, want 5s and a little", took)
		}
	})
}

func TestPushFileEndsSoonWhenServerTakesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := stuck(t, publish.Options{Timeout: time.Hour})
		stopped := errors.New("stopped by hand")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, stopped)
		defer cancel()
		file, _ := handMade(t)
		started := time.Now()
		err := publish.PushFile(ctx, client, bytes.NewReader(file), publish.PushOptions{Loop: true})
		if !errors.Is(err, stopped) {
			t.Errorf("PushFile: %v, want the context's cause", err)
		}
		if took := time.Since(started); took > 4*time.Second {
			t.Errorf("PushFile took %s, want 4s at most", took)
		}
	})
}

func TestPushFileNoticesTheServersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		served := make(chan error, 1)
		go func() {
			defer there.Close()
			f, err := newFake(there)
			if err == nil {
				err = f.accept()
			}
			if err == nil {
				_, err = f.next(chunk.TypeVideo)
			}
			served <- errors.Join(err, f.say("onStatus", 0, nil, info("error", "NetStream.Publish.Failed", "dropped")))
		}()
		client, err := publish.Dial(t.Context(), "rtmp://h/live/s", publish.Options{
			Dial: func(context.Context, string, string) (net.Conn, error) { return here, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		w := flvtest.NewWriter(&file)
		for _, timestamp := range []uint32{0, 3_600_000} {
			if err := w.Write(flv.Tag{Type: flv.Video, Timestamp: timestamp, Data: someVideo.Data}); err != nil {
				t.Fatal(err)
			}
		}
		started := time.Now()
		err = publish.PushFile(t.Context(), client, bytes.NewReader(file.Bytes()), publish.PushOptions{})
		var status *publish.StatusError
		if !errors.As(err, &status) || status.Description != "dropped" {
			t.Errorf("PushFile: %v, want what the server said", err)
		}
		if took := time.Since(started); took != 0 {
			t.Errorf("PushFile noticed after %s, want at once", took)
		}
		if err := <-served; err != nil {
			t.Errorf("server: %v", err)
		}
	})
}

func TestWriteRefusesUnknownTag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, result := pipe(t)
		if err := client.Write(flv.Tag{Type: 15}); err == nil || !strings.Contains(err.Error(), "type 15") {
			t.Errorf("Write: %v, want an error that names the type", err)
		}
		if err := client.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		<-result
	})
}

func TestWriteDoesNotAllocate(t *testing.T) {
	address, wait := serve(t, func(f *fake) error { return errors.Join(f.accept(), f.drain()) })
	client, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/s", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tag := flv.Tag{Type: flv.Video, Data: make([]byte, 10_000)}
	n := testing.AllocsPerRun(100, func() {
		if err := client.Write(tag); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per tag, want none", n)
	}
	if err := errors.Join(client.Close(), wait()); err != nil {
		t.Error(err)
	}
}
