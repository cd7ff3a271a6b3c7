package testkit_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/message"

	"github.com/stillcast/stillcast/internal/testkit"
)

// received is what one publisher sent to a server that is not ours.
type received struct {
	path   string
	frames int
	sounds int
	fourCC string          // of frames of Enhanced RTMP
	keys   []time.Duration // decoding times of the key frames
	err    error           // why it ended
}

// server serves the first publisher that comes until it leaves, or until it has sent enough frames.
type server struct {
	address string
	first   chan struct{} // closed at the first frame
	result  chan received
}

func serve(t *testing.T, enough int) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &server{address: listener.Addr().String(), first: make(chan struct{}), result: make(chan received, 1)}
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			s.result <- received{err: err}
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		s.result <- s.read(conn, enough)
	}()
	return s
}

func (s *server) read(conn net.Conn, enough int) (got received) {
	rtmp := &gortmplib.ServerConn{RW: conn}
	if got.err = rtmp.Initialize(); got.err != nil {
		return got
	}
	if got.err = rtmp.Accept(); got.err != nil {
		return got
	}
	got.path = rtmp.URL.Path + "?" + rtmp.URL.RawQuery
	for got.frames < enough {
		var msg message.Message
		if msg, got.err = rtmp.Read(); got.err != nil {
			return got
		}
		s.note(&got, msg)
	}
	return got
}

func (s *server) note(got *received, msg message.Message) {
	switch msg := msg.(type) {
	case *message.Audio:
		got.sounds++
	case *message.VideoExCodedFrames:
		s.noteEnhanced(got, msg.FourCC)
	case *message.VideoExFramesX:
		s.noteEnhanced(got, msg.FourCC)
	case *message.Video:
		if msg.Type != message.VideoTypeAU || msg.Codec != message.CodecH264 {
			return
		}
		if got.frames++; got.frames == 1 {
			close(s.first)
		}
		if msg.IsKeyFrame {
			got.keys = append(got.keys, msg.DTS)
		}
	}
}

func (s *server) noteEnhanced(got *received, code message.FourCC) {
	got.frames++
	got.fourCC = string([]byte{byte(code >> 24), byte(code >> 16), byte(code >> 8), byte(code)})
}

// wait takes what was received, or says what the publisher said instead.
func (s *server) wait(t *testing.T, publisher *testkit.Process) received {
	t.Helper()
	select {
	case got := <-s.result:
		return got
	case <-publisher.Done():
	}
	select {
	case got := <-s.result:
		return got
	case <-time.After(5 * time.Second):
		t.Fatalf("the publisher ended before it was served: %v\n%s", publisher.Wait(), publisher.Said())
		return received{}
	}
}

func TestPublishersPushInRealTime(t *testing.T) {
	source := testkit.Source{Width: 320, Height: 180, Rate: 25}
	encoding := testkit.Encoding{KeyFrames: 400 * time.Millisecond, Audio: true}
	file := testkit.MakeFile(t, "flv", source, testkit.Encoding{KeyFrames: 400 * time.Millisecond, Duration: 2 * time.Second})
	publishers := map[string]func(t *testing.T, url string) *testkit.Process{
		"ffmpeg": func(t *testing.T, url string) *testkit.Process {
			t.Helper()
			return testkit.PushFFmpeg(t, url, source, encoding)
		},
		"gstreamer": func(t *testing.T, url string) *testkit.Process {
			t.Helper()
			return testkit.PushGStreamer(t, url, source, encoding)
		},
		"file": func(t *testing.T, url string) *testkit.Process {
			t.Helper()
			return testkit.PushFile(t, url, file, "-stream_loop", "-1")
		},
	}
	for name, push := range publishers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, 36)
			start := time.Now()
			publisher := push(t, "rtmp://"+server.address+"/live/room?txSecret=0a&txTime=6f")
			got := server.wait(t, publisher)
			if got.err != nil {
				t.Fatalf("reading the push: %v\n%s", got.err, publisher.Said())
			}
			if got.path != "/live/room?txSecret=0a&txTime=6f" {
				t.Errorf("pushed to %q", got.path)
			}
			// ffmpeg since 6.1 sends the first half second at once.
			if elapsed := time.Since(start); elapsed < 900*time.Millisecond {
				t.Errorf("36 frames at 25 a second took %v: not in real time", elapsed)
			}
			if name == "ffmpeg" && got.sounds == 0 {
				t.Error("no sound came")
			}
			checkKeyFrames(t, got.keys, 400*time.Millisecond)
		})
	}
}

// checkKeyFrames allows a millisecond: FLV counts in those.
func checkKeyFrames(t *testing.T, keys []time.Duration, distance time.Duration) {
	t.Helper()
	if len(keys) < 3 {
		t.Fatalf("key frames at %v, wanted at least 3", keys)
	}
	for i := 1; i < len(keys); i++ {
		if d := keys[i] - keys[i-1] - distance; d.Abs() > time.Millisecond {
			t.Errorf("key frames at %v, wanted %v between them", keys, distance)
		}
	}
}

func TestPublishersEndByThemselves(t *testing.T) {
	source := testkit.Source{Width: 320, Height: 180, Rate: 25}
	encoding := testkit.Encoding{Duration: time.Second}
	for name, push := range map[string]func(testing.TB, string, testkit.Source, testkit.Encoding) *testkit.Process{
		"ffmpeg": testkit.PushFFmpeg, "gstreamer": testkit.PushGStreamer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, 1000)
			publisher := push(t, "rtmp://"+server.address+"/live/room", source, encoding)
			got := server.wait(t, publisher)
			if got.frames < 24 || got.frames > 26 || got.err == nil {
				t.Errorf("received %d frames and %v, wanted 25 and an end", got.frames, got.err)
			}
		})
	}
}

func TestInterruptAndKillEndAPush(t *testing.T) {
	source := testkit.Source{Width: 320, Height: 180}
	for name, end := range map[string]func(*testkit.Process){
		"interrupt": (*testkit.Process).Interrupt, "kill": (*testkit.Process).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, 1_000_000)
			publisher := testkit.PushFFmpeg(t, "rtmp://"+server.address+"/live/room", source, testkit.Encoding{})
			select {
			case <-server.first:
			case <-publisher.Done():
				t.Fatalf("the publisher ended: %v\n%s", publisher.Wait(), publisher.Said())
			}
			end(publisher)
			if got := server.wait(t, publisher); got.frames == 0 || got.err == nil {
				t.Errorf("received %+v, wanted frames and then an end", got)
			}
		})
	}
}

func TestProcessKeepsWhatWasSaid(t *testing.T) {
	p := testkit.Start(t, "sh", "-c", "seq 20000 >&2; exit 3")
	if err := p.Wait(); err == nil || err.Error() != "exit status 3" {
		t.Errorf("ended with %v, wanted exit status 3", err)
	}
	said := p.Said()
	if !strings.HasSuffix(said, "\n20000\n") || len(said) != 64<<10 {
		t.Errorf("kept %d bytes, ending in %q", len(said), said[max(0, len(said)-20):])
	}
}
