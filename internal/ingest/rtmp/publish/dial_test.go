package publish_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
)

func TestRefused(t *testing.T) {
	denied := info("error", "NetStream.Publish.Denied", "txSecret: is wrong")
	connected := func(f *fake) error {
		return f.answer("connect", nil, info("status", "NetConnection.Connect.Success", ""))
	}
	created := func(f *fake) error { return errors.Join(connected(f), f.answer("createStream", nil, 1)) }
	tests := []struct {
		name   string
		script func(*fake) error
		want   publish.StatusError
		text   string
	}{
		{
			"publish", func(f *fake) error {
				_, err := f.until("publish")
				return errors.Join(err, f.say("onStatus", 0, nil, denied))
			},
			publish.StatusError{Command: "publish", Code: "NetStream.Publish.Denied", Description: "txSecret: is wrong"},
			"server refused the push: NetStream.Publish.Denied: txSecret: is wrong",
		},
		{
			"publish by _error", func(f *fake) error {
				transaction, err := f.until("publish")
				return errors.Join(err, f.say("_error", transaction, nil, denied))
			},
			publish.StatusError{Command: "publish", Code: "NetStream.Publish.Denied", Description: "txSecret: is wrong"},
			"server refused the push: NetStream.Publish.Denied: txSecret: is wrong",
		},
		{
			"createStream", func(f *fake) error {
				transaction, err := f.until("createStream")
				return errors.Join(err, f.say("_error", transaction, nil, info("error", "NetConnection.Call.Failed", "")))
			},
			publish.StatusError{Command: "createStream", Code: "NetConnection.Call.Failed"},
			"server refused the push: NetConnection.Call.Failed",
		},
		{
			"connect", func(f *fake) error {
				transaction, err := f.until("connect")
				return errors.Join(err, f.say("_error", transaction, nil, info("error", "NetConnection.Connect.Rejected", "no such app")))
			},
			publish.StatusError{Command: "connect", Code: "NetConnection.Connect.Rejected", Description: "no such app"},
			"server refused the connection: NetConnection.Connect.Rejected: no such app",
		},
		{
			"close without a reason", func(f *fake) error {
				_, err := f.until("connect")
				return errors.Join(err, f.say("close", 0, nil))
			},
			publish.StatusError{Command: "connect"},
			"server refused the connection",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, wait := serve(t, func(f *fake) error {
				var err error
				switch tt.want.Command {
				case "publish":
					err = created(f)
				case "createStream":
					err = connected(f)
				}
				return errors.Join(err, tt.script(f))
			})
			_, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/s?txSecret=verysecret", publish.Options{})
			var got *publish.StatusError
			if !errors.As(err, &got) {
				t.Fatalf("Dial: %v, want a StatusError", err)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if got.Error() != tt.text {
				t.Errorf("error %q, want %q", got.Error(), tt.text)
			}
			if want := "push to " + address + ": " + tt.text; err.Error() != want {
				t.Errorf("Dial's error %q, want %q", err.Error(), want)
			}
			if err := wait(); err != nil {
				t.Errorf("server: %v", err)
			}
		})
	}
}

func TestRefusedByGortmplib(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	checked := make(chan error, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			checked <- err
			return
		}
		defer conn.Close()
		server := &gortmplib.ServerConn{RW: conn}
		if err := server.Initialize(); err != nil {
			checked <- err
			return
		}
		checked <- server.CheckCredentials("user", "password")
	}()
	_, err = publish.Dial(t.Context(), "rtmp://"+ln.Addr().String()+"/live/s", publish.Options{})
	var got *publish.StatusError
	if !errors.As(err, &got) || got.Code != "NetConnection.Connect.Rejected" || got.Command != "connect" {
		t.Errorf("Dial: %v, want a refused connection", err)
	}
	if err := <-checked; err == nil || !strings.Contains(err.Error(), "need auth") {
		t.Errorf("server: %v, want it to have refused", err)
	}
}

func TestDialErrors(t *testing.T) {
	t.Run("URL", func(t *testing.T) {
		_, err := publish.Dial(t.Context(), "http://h/live/s", publish.Options{})
		if stillcast.CodeOf(err) != stillcast.CodeInvalid {
			t.Errorf("Dial: %v, want an invalid URL", err)
		}
	})
	t.Run("chunk size", func(t *testing.T) {
		_, err := publish.Dial(t.Context(), "rtmp://h/live/s", publish.Options{ChunkSize: 100})
		if stillcast.CodeOf(err) != stillcast.CodeInvalid {
			t.Errorf("Dial: %v, want an invalid option", err)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		_, err = publish.Dial(t.Context(), "rtmp://"+ln.Addr().String()+"/live/s", publish.Options{})
		if err == nil || !strings.Contains(err.Error(), "connect to "+ln.Addr().String()) {
			t.Errorf("Dial: %v, want an error with the address", err)
		}
	})
}

// raw is a server that reads n bytes, then sends answer and closes.
func raw(n int64, answer string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			if _, err := io.CopyN(io.Discard, there, n); err != nil {
				return
			}
			io.WriteString(there, answer)
		}()
		return here, nil
	}
}

func TestDialToWhatIsNotRTMP(t *testing.T) {
	const c0c1, handshakes = 1537, 1537 + 1536
	serverHandshake := "\x03" + strings.Repeat("x", 2*1536)
	tests := []struct {
		name   string
		read   int64
		answer string
		text   string
	}{
		{"HTTP", c0c1, "HTTP/1.1 400 Bad Request\r\n", "server does not speak RTMP: its first byte is 0x48"},
		{"closes", c0c1, "", "read handshake: server closed the connection"},
		{"closes in the handshake", c0c1, serverHandshake[:1000], "read handshake: server closed the connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := publish.Dial(t.Context(), "rtmp://h/live/s", publish.Options{Dial: raw(tt.read, tt.answer)})
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Dial: %v, want %q", err, tt.text)
			}
		})
	}
}

func TestDialMeetsNonsense(t *testing.T) {
	tests := []struct {
		name string
		say  func(*fake) error
		text string
	}{
		{"no chunks", func(f *fake) error { _, err := f.conn.Write([]byte{0xC9}); return err }, "header that was never sent"},
		{"no command", func(f *fake) error { return f.say(1, 2) }, "a command begins with a name and a number"},
		{"no AMF0", func(f *fake) error {
			return f.out.Write(chunk.Message{ChunkStream: 3, Type: chunk.TypeCommandAMF0, Payload: []byte{0x11}})
		}, "switch to AMF3"},
		{"too long", func(f *fake) error {
			return f.out.Write(chunk.Message{ChunkStream: 3, Type: chunk.TypeCommandAMF0, Payload: make([]byte, 65<<10)})
		}, "message is too long"},
		{"no stream id", func(f *fake) error {
			return errors.Join(f.say("_result", 1, nil), f.answer("createStream", nil, "one"))
		}, "holds no stream id"},
		{"closes", func(*fake) error { return nil }, "wait for the answer to connect: read from the server: server closed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, wait := serve(t, func(f *fake) error {
				_, err := f.until("connect")
				err = errors.Join(err, tt.say(f))
				if half, ok := f.conn.(*net.TCPConn); ok {
					half.CloseWrite()
				}
				f.drain() //nolint:errcheck // the client may reset the connection
				return err
			})
			_, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/s", publish.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Dial: %v, want %q", err, tt.text)
			}
			if err := wait(); err != nil && tt.name != "too long" {
				t.Errorf("server: %v", err)
			}
		})
	}
}

// silent is a server that takes everything and never answers.
func silent(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		io.Copy(io.Discard, there) //nolint:errcheck // ends when the client closes
	}()
	return here, nil
}

func TestDialTakesNoLongerThanItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		_, err := publish.Dial(t.Context(), "rtmp://h/live/s", publish.Options{Timeout: 3 * time.Second, Dial: silent})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "server took longer than 3s") {
			t.Errorf("Dial: %v, want that it took too long", err)
		}
		if took := time.Since(started); took != 3*time.Second {
			t.Errorf("Dial took %s, want 3s", took)
		}
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	stopped := errors.New("stopped by hand")
	dials := map[string]func(context.Context, string, string) (net.Conn, error){
		"no answer": silent,
		"no reading": func(context.Context, string, string) (net.Conn, error) {
			here, _ := net.Pipe()
			return here, nil
		},
		"no connection": func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}
	for name, dial := range dials {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, stopped)
				defer cancel()
				started := time.Now()
				_, err := publish.Dial(ctx, "rtmp://h/live/s", publish.Options{Dial: dial})
				if !errors.Is(err, stopped) {
					t.Errorf("Dial: %v, want the context's cause", err)
				}
				if took := time.Since(started); took != time.Second {
					t.Errorf("Dial took %s, want 1s", took)
				}
			})
		})
	}
}
