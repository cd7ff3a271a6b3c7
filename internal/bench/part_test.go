package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/media/flv"
)

// runningPart is a part in this process.
type runningPart struct {
	input   *io.PipeWriter
	reports chan report
	ended   chan error
}

func runPart(t *testing.T, role string, o order) *runningPart {
	t.Helper()
	in, input := io.Pipe()
	output, out := io.Pipe()
	p := &runningPart{input: input, reports: make(chan report, 8), ended: make(chan error, 1)}
	go func() {
		p.ended <- Part(t.Context(), role, in, out)
		out.Close()
		in.Close()
	}()
	go func() {
		defer close(p.reports)
		for d := json.NewDecoder(output); ; {
			var r report
			if d.Decode(&r) != nil {
				return
			}
			p.reports <- r
		}
	}()
	t.Cleanup(func() { input.Close() })
	if err := json.NewEncoder(input).Encode(o); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *runningPart) report(t *testing.T) report {
	t.Helper()
	r, ok := <-p.reports
	if !ok {
		t.Fatalf("the part ended without a report: %v", <-p.ended)
	}
	return r
}

// end ends a part as its parent does, by the end of its input, and returns its last report.
func (p *runningPart) end(t *testing.T) report {
	t.Helper()
	p.input.Close()
	var last report
	for r := range p.reports {
		last = r
	}
	if err := <-p.ended; err != nil {
		t.Errorf("the part ended: %v", err)
	}
	return last
}

// The receiver takes what publishers send, over and over, and both end when their
// input does.
func TestPushAndReceive(t *testing.T) {
	t.Parallel()
	path := smallFile(t, "flv", "libx264")
	sink := runPart(t, partReceive, order{})
	address := sink.report(t).Address
	pushes := runPart(t, partPush, order{Clip: path, Address: address, Streams: 3, Ramp: 30 * time.Millisecond})
	if r := pushes.report(t); !r.Ready {
		t.Errorf("report %+v", r)
	}
	if last := pushes.end(t); last.Sent < 1000 || last.Late < 0 {
		t.Errorf("last report %+v", last)
	}
	sink.end(t)
}

// The clip goes on in time where it starts again.
func TestPlayLoops(t *testing.T) {
	t.Parallel()
	c := mustRead(t, smallFile(t, "flv", "libx264"))
	c.length /= 100
	for i := range c.frames {
		c.frames[i].at /= 100
	}
	f := &fleet{clip: c}
	s := &recorder{enough: 120}
	timer := time.NewTimer(0)
	defer timer.Stop()
	if err := f.play(t.Context(), s, timer, c.keys[1]); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	head := len(c.head)
	if s.times[head] != 0 || s.sizes[head] != len(c.frames[c.keys[1]].data) {
		t.Errorf("the first frame has %d bytes at %d ms, wanted the second key frame at 0", s.sizes[head], s.times[head])
	}
	for i := head + 1; i < len(s.times); i++ {
		if step := s.times[i] - s.times[i-1]; step > 1 { // a hundredth of 40 ms, in whole milliseconds
			t.Fatalf("from %d ms to %d ms at frame %d", s.times[i-1], s.times[i], i)
		}
	}
	if late := time.Duration(f.late.Load()); late <= 0 {
		t.Errorf("late by %s", late)
	}
}

// recorder notes what would be sent.
type recorder struct {
	times, sizes []int
	enough       int // messages after which it fails
}

var errEnough = errors.New("enough")

// Write implements sender.
func (r *recorder) Write(t flv.Tag) error {
	if len(r.times) == r.enough {
		return errEnough
	}
	r.times, r.sizes = append(r.times, int(t.Timestamp)), append(r.sizes, len(t.Data))
	return nil
}

// Close implements sender.
func (r *recorder) Close() error { return nil }

func TestDecodeAlone(t *testing.T) {
	t.Parallel()
	p := runPart(t, partDecode, order{Clip: smallFile(t, "flv", "libx264"), Decodes: 3})
	r := p.report(t)
	if r.Width != 320 || r.Height != 180 || r.Decodes != 4 || r.CPU <= 0 || r.CPU > time.Minute {
		t.Errorf("report %+v, wanted two rounds of two key frames of 320x180", r)
	}
	p.end(t)
}

func TestPartErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ role, input, text string }{
		{partPush, "", "read the order"},
		{"cook", "{}", `part: is "cook"; allowed are push, receive and decode`},
		{partPush, `{"clip":"/none.flv"}`, "/none.flv: no such file"},
		{partDecode, `{"clip":"/none.flv"}`, "/none.flv: no such file"},
	}
	for _, tt := range tests {
		err := Part(t.Context(), tt.role, strings.NewReader(tt.input), io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s of %q: error %v, wanted one with %q", tt.role, tt.input, err, tt.text)
		}
	}
}

// A push to nobody fails, and says which.
func TestPushRefused(t *testing.T) {
	t.Parallel()
	in, input := io.Pipe()
	defer input.Close()
	line, err := json.Marshal(order{Clip: smallFile(t, "flv", "libx264"), Address: "127.0.0.1:1", Streams: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = Part(t.Context(), partPush, io.MultiReader(bytes.NewReader(line), in), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "stream 1 of 1: connect:") {
		t.Errorf("error %v", err)
	}
}

// A process that ends by itself is told with its last words; one that is asked to
// ends in time.
func TestProcess(t *testing.T) {
	t.Parallel()
	lines := make(chan string, 4)
	p, err := start("the shell", exec.Command("sh", "-c", "echo one; echo two >&2; exit 3"), nil, func(line string) { lines <- line })
	if err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if got := <-lines + " " + <-lines; got != "one two" && got != "two one" {
		t.Errorf("lines %q", got)
	}
	err = p.await(t.Context(), make(chan struct{}), time.Minute)
	if err == nil || !strings.Contains(err.Error(), "the shell ended: exit status 3; its last words:\n") || !strings.Contains(err.Error(), "two") {
		t.Errorf("error %v", err)
	}
	if err := p.stop(); err == nil {
		t.Error("stop does not say that it failed")
	}
	if p, err = start("cat", exec.Command("cat"), []byte("hello\n"), func(line string) { lines <- line }); err != nil {
		t.Fatal(err)
	}
	if got := <-lines; got != "hello" {
		t.Errorf("cat says %q", got)
	}
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := start("nobody", exec.Command("/none"), nil, nil); err == nil || !strings.Contains(err.Error(), "start nobody") {
		t.Errorf("error %v", err)
	}
}
