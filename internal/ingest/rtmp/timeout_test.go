package rtmp

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast"
)

// connectEnd is where the connect command of [script] ends.
func connectEnd(t testing.TB) int {
	t.Helper()
	return bytes.Index(script(t), []byte("publish")) - 15 // its chunk header, and that of its name
}

// Timeouts, in fake time, with the default settings.
func TestTimeouts(t *testing.T) {
	publish := readRecording(t, "testdata/obs29.rtmp").data[:8000]
	tests := []struct {
		name   string
		data   []byte // nil: a handshake byte by byte
		reason reason
		after  time.Duration
		text   string
	}{
		{"nothing at all", []byte{}, reasonSlow, 5 * time.Second, "no RTMP handshake within 5s"},
		{"handshake byte by byte", nil, reasonSlow, 5 * time.Second, "no RTMP handshake"},
		{"handshake only", publish[:1+2*handshakeSize], reasonSlow, 5 * time.Second, "no connect command within 5s"},
		{"connect only", script(t)[:connectEnd(t)], reasonSlow, 10 * time.Second, "no publish command within 10s"},
		{"push that falls silent", publish, reasonNoData, 30 * time.Second, "nothing received for 30s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newFakeGate()
				sh := newTestShared(t, testConfig(), g)
				log := newLogBuffer()
				sh.log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				ours, theirs := net.Pipe()
				began := time.Now()
				c := newConn(t.Context(), ours, sh, &buffers{})
				var wg sync.WaitGroup
				var took time.Duration
				wg.Go(func() {
					c.serve()
					took = time.Since(began)
				})
				wg.Go(func() { _, _ = io.Copy(io.Discard, theirs) })
				if tt.data == nil {
					wg.Go(func() {
						for b := byte(rtmpVersion); ; b = 0 {
							if _, err := theirs.Write([]byte{b}); err != nil {
								return
							}
							time.Sleep(time.Second)
						}
					})
				} else if len(tt.data) > 0 {
					if _, err := theirs.Write(tt.data); err != nil {
						t.Error(err)
					}
				}
				wg.Wait()
				if took != tt.after {
					t.Errorf("closed after %s, want %s", took, tt.after)
				}
				if text := log.String(); !strings.Contains(text, "reason="+string(tt.reason)) || !strings.Contains(text, tt.text) {
					t.Errorf("the log does not say %s, %q:\n%s", tt.reason, tt.text, text)
				}
				select {
				case p := <-g.pushes:
					if end := p.end(t); tt.reason != reasonNoData || end.Code != stillcast.EndNoData || !strings.Contains(end.Message, tt.text) {
						t.Errorf("end %+v", end)
					}
				default:
					if tt.reason == reasonNoData {
						t.Error("no push")
					}
				}
			})
		})
	}
}

// A push goes on for as long as something comes, however slowly.
func TestSlowPushGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFakeGate()
		sh := newTestShared(t, testConfig(), g)
		ours, theirs := net.Pipe()
		c := newConn(t.Context(), ours, sh, &buffers{})
		var wg sync.WaitGroup
		wg.Go(c.serve)
		wg.Go(func() { _, _ = io.Copy(io.Discard, theirs) })
		data := readRecording(t, "testdata/obs29.rtmp").data[:8000]
		if _, err := theirs.Write(data[:7900]); err != nil {
			t.Fatal(err)
		}
		for _, b := range data[7900:] {
			time.Sleep(29 * time.Second)
			if _, err := theirs.Write([]byte{b}); err != nil {
				t.Fatalf("the push was ended: %v", err)
			}
		}
		theirs.Close()
		wg.Wait()
		if end := g.push(t).end(t); end.Code != stillcast.EndNetwork {
			t.Errorf("end %+v", end)
		}
	})
}
