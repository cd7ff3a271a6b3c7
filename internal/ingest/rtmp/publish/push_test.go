package publish_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/media/flv"
	"github.com/stillcast/stillcast/internal/media/flv/flvtest"
)

// ffmpegFile makes a file of two seconds of real H.264 and AAC.
func ffmpegFile(t *testing.T) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.flv")
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error",
		"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine", "-t", "2",
		"-c:v", "libx264", "-g", "25", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestPushFileArrivesTagForTag(t *testing.T) {
	file := ffmpegFile(t)
	want := asSent(readFile(t, file))
	address, result := listen(t)
	client, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/sub/stream1?txSecret=ab&txTime=1", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if err := publish.PushFile(t.Context(), client, file, publish.PushOptions{}); err != nil {
		t.Fatal(err)
	}
	// 50 frames: the last is due 49 × 40 ms after the first.
	if took := time.Since(started); took < 1960*time.Millisecond {
		t.Errorf("pushing took %s, which is faster than real time", took)
	}
	got := <-result
	if got.err != nil {
		t.Fatalf("server: %v", got.err)
	}
	if diff := cmp.Diff(want, got.tags, fast()); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if want := "rtmp://" + address + "/live/sub/stream1?txSecret=ab&txTime=1"; got.url != want {
		t.Errorf("server saw %q, want %q", got.url, want)
	}
	checkCommands(t, got.commands, address)
}

func checkCommands(t *testing.T, got [][]any, address string) {
	t.Helper()
	const name = "stream1?txSecret=ab&txTime=1"
	var names []string
	for _, c := range got {
		names = append(names, c[0].(string))
		switch c[0] {
		case "connect":
			object := c[2].(interface{ Get(string) (any, bool) })
			for key, want := range map[string]string{
				"app": "live/sub", "tcUrl": "rtmp://" + address + "/live/sub", "type": "nonprivate",
			} {
				if v, _ := object.Get(key); v != want {
					t.Errorf("connect: %s is %q, want %q", key, v, want)
				}
			}
		case "releaseStream", "FCPublish", "FCUnpublish", "publish":
			if c[2] != nil || c[3] != name {
				t.Errorf("%s has the arguments %v, want nil and %q", c[0], c[2:], name)
			}
		case "deleteStream":
			if c[3] != 1.0 {
				t.Errorf("deleteStream is for stream %v, want 1", c[3])
			}
		}
	}
	want := []string{"connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

func TestChunkSizesAndLargeTimestamps(t *testing.T) {
	picture := func(n int) []byte { return append([]byte{0x27, 1, 0, 0, 0}, bytes.Repeat([]byte{byte(n)}, n)...) }
	tags := []flv.Tag{
		{Type: flv.Video, Timestamp: 0xFFFFFE, Data: picture(100)},
		{Type: flv.Video, Timestamp: 0xFFFFFF, Data: picture(70_000)},
		{Type: flv.Audio, Timestamp: 0x1000000, Data: []byte{0x2F, 1, 2}},
		{Type: flv.Video, Timestamp: 0x7FFFFFFF, Data: picture(300_000)},
		{Type: flv.Video, Timestamp: 0xFFFFFFFF, Data: picture(128)},
		{Type: flv.Video, Timestamp: 0, Data: picture(65536)},
	}
	for _, size := range []int{publish.MinChunkSize, 4096, publish.MaxChunkSize} {
		address, result := listen(t)
		client, err := publish.Dial(t.Context(), "rtmp://"+address+"/live/s", publish.Options{ChunkSize: size})
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range tags {
			if err := client.Write(tag); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Close(); err != nil {
			t.Errorf("chunk size %d: Close: %v", size, err)
		}
		got := <-result
		if diff := cmp.Diff(tags, got.tags, fast()); got.err != nil || diff != "" {
			t.Errorf("chunk size %d: server: %v, tags (-want +got):\n%s", size, got.err, diff)
		}
	}
}

// handMade is a file of four frames of 40 ms each and audio of the same
// length, whose clock crosses 0xFFFFFF.
func handMade(t *testing.T) (file []byte, tags []flv.Tag) {
	t.Helper()
	const first = 0xFFFFFF - 50
	tags = []flv.Tag{
		{Type: flv.Script, Data: []byte("\x02\x00\x0aonMetaData\x08\x00\x00\x00\x00\x00\x00\x09")},
		{Type: flv.Video, Data: []byte{0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1F, 0xFF, 0xE1, 0, 1, 0x67, 1, 0, 1, 0x68}},
		{Type: flv.Audio, Data: []byte{0xAF, 0, 0x12, 0x10}},
		{Type: flv.Video, Timestamp: first, Data: []byte{0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65}},
		{Type: flv.Audio, Timestamp: first, Data: []byte{0xAF, 1, 0}},
		{Type: flv.Video, Timestamp: first + 40, Data: []byte{0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41}},
		{Type: flv.Audio, Timestamp: first + 60, Data: []byte{0xAF, 1, 1}},
		{Type: flv.Video, Timestamp: first + 80, Data: []byte{0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41}},
		{Type: flv.Video, Timestamp: first + 120, Data: []byte{0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41}},
		{Type: flv.Video, Timestamp: first + 120, Data: []byte{0x17, 2, 0, 0, 0}},
	}
	var out bytes.Buffer
	w := flvtest.NewWriter(&out)
	for _, tag := range tags {
		if err := w.Write(tag); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes(), tags
}

// pipe starts a push to gortmplib over a pipe: no network, so that time can be
// faked.
func pipe(t *testing.T) (*publish.Client, <-chan heard) {
	t.Helper()
	here, there := net.Pipe()
	result := make(chan heard, 1)
	go func() { result <- hear(there) }()
	client, err := publish.Dial(t.Context(), "rtmp://push.example.com/live/s", publish.Options{
		Dial: func(context.Context, string, string) (net.Conn, error) { return here, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, result
}

func TestLoopGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, tags := handMade(t)
		enough := errors.New("seen enough")
		client, result := pipe(t)
		// Loops start at 0, 160 and 320 ms; the third is cut after its second frame.
		ctx, cancel := context.WithTimeoutCause(t.Context(), 390*time.Millisecond, enough)
		defer cancel()
		started := time.Now()
		err := publish.PushFile(ctx, client, bytes.NewReader(file), publish.PushOptions{Loop: true})
		if !errors.Is(err, enough) {
			t.Errorf("PushFile: %v, want the context's cause", err)
		}
		if took := time.Since(started); took != 390*time.Millisecond {
			t.Errorf("PushFile ended after %s, want 390ms", took)
		}
		got := <-result
		if got.err != nil {
			t.Fatalf("server: %v", got.err)
		}
		want, due := looped(tags)
		if diff := cmp.Diff(asSent(want), got.tags); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(due, got.arrived); diff != "" {
			t.Errorf("arrivals (-want +got):\n%s", diff)
		}
		if last := got.commands[len(got.commands)-1][0]; last != "deleteStream" {
			t.Errorf("the last command is %v, want a polite end", last)
		}
	})
}

// looped is what the server is to see of handMade's tags in 390 ms: the end of
// the sequence left out, and everything before the first frame of a later loop
// at that frame's time.
func looped(tags []flv.Tag) (sent []flv.Tag, due []time.Duration) {
	first := tags[3].Timestamp
	for loop := range uint32(3) {
		for _, tag := range tags[:len(tags)-1] {
			offset := tag.Timestamp - first + loop*160
			if tag.Timestamp == 0 {
				offset = loop * 160
			}
			if offset > 390 {
				continue
			}
			if loop > 0 || tag.Timestamp != 0 {
				tag.Timestamp = first + offset
			}
			sent = append(sent, tag)
			due = append(due, time.Duration(offset)*time.Millisecond)
		}
	}
	return sent, due
}

func TestPushFileEnds(t *testing.T) {
	whole, _ := handMade(t)
	var noFrames bytes.Buffer
	if err := flvtest.NewWriter(&noFrames).Write(flv.Tag{Type: flv.Script, Data: []byte("\x02\x00\x01x\x05")}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		file []byte
		loop bool
		want string // what the error says; "" for none
		took time.Duration
	}{
		{"whole file", whole, false, "", 120 * time.Millisecond},
		{"cut off", whole[:len(whole)-8], false, "cut off at byte", 120 * time.Millisecond},
		{"not FLV", []byte("MP4, rather"), false, `starts with "MP4"`, 0},
		{"empty", nil, true, "cut off at byte 0", 0},
		{"no frames", noFrames.Bytes(), true, "holds no audio or video", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, result := pipe(t)
				started := time.Now()
				err := publish.PushFile(t.Context(), client, bytes.NewReader(tt.file), publish.PushOptions{Loop: tt.loop})
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("PushFile: %v, want %q", err, tt.want)
				}
				if took := time.Since(started); took != tt.took {
					t.Errorf("PushFile took %s, want %s", took, tt.took)
				}
				got := <-result
				if n := len(got.commands); got.err != nil || n == 0 || got.commands[n-1][0] != "deleteStream" {
					t.Errorf("server: %v, commands %v; want a polite end", got.err, got.commands)
				}
			})
		})
	}
}

func TestPushFileReportsSeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("cannot seek")
		client, result := pipe(t)
		err := publish.PushFile(t.Context(), client, unseekable{broken}, publish.PushOptions{})
		if !errors.Is(err, broken) {
			t.Errorf("PushFile: %v, want it to wrap %v", err, broken)
		}
		<-result
	})
}

type unseekable struct{ err error }

func (unseekable) Read([]byte) (int, error)         { return 0, io.EOF }
func (u unseekable) Seek(int64, int) (int64, error) { return 0, u.err }
