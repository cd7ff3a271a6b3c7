package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// exceptionBook is a gate that writes down what was wrong.
type exceptionBook struct {
	gate *Gate
	notebook

	resources *stillcast.Resources
	reports   []ExceptionReport
	lock      sync.Mutex
}

// newExceptionBook makes a gate whose resources tell of exceptions, or not.
func newExceptionBook(t *testing.T, url string) *exceptionBook {
	t.Helper()
	b := &exceptionBook{}
	b.tell(url)
	b.gate = NewGate(GateOptions{
		Resources: func() *stillcast.Resources {
			b.lock.Lock()
			defer b.lock.Unlock()
			return b.resources
		},
		Journal: b, Supports: func(media.Codec) bool { return true },
		Open:      func(stillcast.Push, <-chan struct{}) Sink { return &b.notebook },
		Exception: b.exception,
		Logger:    slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	return b
}

func (b *exceptionBook) tell(url string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.resources = stillcast.NewResources(stillcast.ResourceSet{
		Domains:           []stillcast.Domain{{Name: "open.example.com", Auth: stillcast.PushAuth{Disabled: true}}},
		CallbackTemplates: []stillcast.CallbackTemplate{{ID: 1, PushExceptionURL: url}},
		CallbackRules:     []stillcast.CallbackRule{{Domain: "open.example.com", TemplateID: 1}},
	})
}

func (b *exceptionBook) exception(_ context.Context, p stillcast.Push, r ExceptionReport) error {
	if err := b.write("exception " + p.Stream.Name); err != nil {
		return err
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	b.reports = append(b.reports, r)
	return nil
}

// reported is what was reported so far.
func (b *exceptionBook) reported() []ExceptionReport {
	synctest.Wait()
	b.lock.Lock()
	defer b.lock.Unlock()
	return slices.Clone(b.reports)
}

// push is a push whose frames come from here.
func (b *exceptionBook) push(t *testing.T) *framePush {
	t.Helper()
	p, err := b.gate.Admit(t.Context(), request("open.example.com", "s", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Configure(&media.Config{Codec: media.H264}); err != nil {
		t.Fatal(err)
	}
	return &framePush{Push: p}
}

// close ends everything and returns what was reported: kinds with their counts.
func (b *exceptionBook) close(t *testing.T, p *framePush) []string {
	t.Helper()
	p.End(stillcast.PushEnd{})
	if err := b.gate.Close(t.Context()); err != nil {
		t.Error(err)
	}
	var all []string
	for _, r := range b.reported() {
		var kinds []string
		for _, e := range r.Exceptions {
			kinds = append(kinds, fmt.Sprintf("%d x%d", e.Kind, e.Count))
		}
		all = append(all, strings.Join(kinds, ", "))
	}
	return all
}

// framePush sends frames, each by its step from the one before.
type framePush struct {
	Push

	at time.Duration
}

func (p *framePush) frame(step time.Duration, key bool) {
	p.at += step
	p.Want(media.Unit{Codec: media.H264, Key: key, DTS: p.at})
}

const frameTime = 40 * time.Millisecond

// play sends usual frames for a while, in real time, with a key frame every
// second.
func (p *framePush) play(d time.Duration) {
	for i := range int(d / frameTime) {
		p.frame(frameTime, i%25 == 0)
		time.Sleep(frameTime)
	}
}

func TestUsualPushHasNoExceptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newExceptionBook(t, "http://example.com/")
		p := b.push(t)
		p.at = 20 * time.Hour // publishers begin at any timestamp
		p.play(time.Minute)
		p.frame(maxStep, true) // just within
		time.Sleep(maxStill - sweepEvery)
		p.play(time.Second)
		if got := b.close(t, p); got != nil {
			t.Errorf("reported %q", got)
		}
	})
}

func TestTimestampsThatJumpAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newExceptionBook(t, "http://example.com/")
		p := b.push(t)
		p.play(time.Second)
		began := time.Now()
		for range 15 {
			p.frame(-time.Millisecond, false)
		}
		p.frame(time.Hour, false) // is no gap between key frames, too
		p.play(4 * time.Second)
		if len(b.reported()) != 0 {
			t.Fatalf("reported after 4 s: %v", b.reported())
		}
		p.play(2 * time.Second)
		if len(b.reported()) != 1 {
			t.Fatalf("%d reports after 6 s, want 1", len(b.reported()))
		}
		r := b.reported()[0]
		if r.Interval != 5*time.Second || r.At.Sub(began) < r.Interval || r.At.Sub(began) > r.Interval+time.Second {
			t.Errorf("report of %s came after %s", r.Interval, r.At.Sub(began))
		}
		back := r.Exceptions[0]
		if back.Kind != VideoBackwards || back.Count != 15 || len(back.Details) != maxDetails {
			t.Errorf("%+v, want 15 steps back and %d details", back, maxDetails)
		}
		if want := (ExceptionDetail{began, "the video timestamp went back by 1 ms, to 999 ms"}); back.Details[0] != want {
			t.Errorf("%+v, want %+v", back.Details[0], want)
		}
		want := []string{"1 x15, 3 x1"}
		if diff := cmp.Diff(want, b.close(t, p)); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

// A stall is told while it lasts, each time that it is twice as long.
func TestStallIsReportedWhileItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newExceptionBook(t, "http://example.com/")
		p := b.push(t)
		time.Sleep(time.Minute) // without a frame yet: that is told by another
		p.play(time.Second)
		time.Sleep(30 * time.Second)
		p.play(time.Second)
		time.Sleep(4 * time.Second)
		var all []string
		for _, r := range b.reported() {
			for _, d := range r.Exceptions[0].Details {
				all = append(all, d.Text)
			}
		}
		want := []string{
			"no video frame for 3000 ms", "no video frame for 6000 ms", "no video frame for 12000 ms", "no video frame for 24000 ms",
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("details (-want +got):\n%s", diff)
		}
		// What is not reported yet goes before the end.
		if diff := cmp.Diff([]string{"6 x2", "6 x1", "6 x1", "6 x1"}, b.close(t, p)); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"exception s", "end s"}, b.lines[len(b.lines)-2:]); diff != "" {
			t.Errorf("last of the journal (-want +got):\n%s", diff)
		}
	})
}

func TestKeyFramesThatStayAwayAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newExceptionBook(t, "http://example.com/")
		p := b.push(t)
		p.frame(0, true)
		for range 1000 { // 40 s
			p.frame(frameTime, false)
			time.Sleep(frameTime)
		}
		p.frame(frameTime, true)
		for range 100 {
			p.frame(frameTime, false)
		}
		if diff := cmp.Diff([]string{"16 x1", "16 x1"}, b.close(t, p)); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
		for i, text := range []string{"no key frame for 10040 ms of the stream", "no key frame for 20120 ms of the stream"} {
			if got := b.reported()[i].Exceptions[0].Details[0].Text; got != text {
				t.Errorf("%q, want %q", got, text)
			}
		}
	})
}

func TestChangedCodecIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newExceptionBook(t, "http://example.com/")
		p := b.push(t)
		for _, c := range []media.Codec{media.H264, media.HEVC, media.HEVC} {
			if err := p.Configure(&media.Config{Codec: c}); err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff([]string{"8 x1"}, b.close(t, p)); diff != "" {
			t.Fatalf("reports (-want +got):\n%s", diff)
		}
		if got := b.reported()[0].Exceptions[0].Details[0].Text; got != "the video codec changed from H.264 to HEVC" {
			t.Errorf("%q", got)
		}
	})
}

// Who is told is asked for again when the resources change, also of live pushes.
func TestExceptionsNeedSomebodyToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newExceptionBook(t, "")
		p := b.push(t)
		p.play(time.Second)
		p.frame(-frameTime, false)
		p.play(10 * time.Second)
		b.tell("http://example.com/")
		p.play(time.Second)
		p.frame(-frameTime, false)
		p.play(10 * time.Second)
		time.Sleep(sweepEvery)
		b.tell("")
		time.Sleep(time.Minute)
		b.tell("http://example.com/")
		time.Sleep(maxStill - sweepEvery) // the minute before does not count
		p.play(time.Second)
		if diff := cmp.Diff([]string{"1 x1"}, b.close(t, p)); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

// What the database does not take is tried again, and what is wrong meanwhile
// is gathered.
func TestExceptionsOutlastADeadDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newExceptionBook(t, "http://example.com/")
		p := b.push(t)
		p.play(time.Second)
		b.mu.Lock()
		b.fails = 9 // for half a minute
		b.mu.Unlock()
		for range 12 {
			p.frame(-time.Millisecond, true)
			p.play(5 * time.Second)
		}
		b.close(t, p)
		count, most := 0, 0
		for _, r := range b.reported() {
			count += r.Exceptions[0].Count
			most = max(most, r.Exceptions[0].Count)
		}
		if count != 12 || most < 5 {
			t.Errorf("%d steps back are reported, at most %d at once; want 12, and those of half a minute at once", count, most)
		}
	})
}

func BenchmarkWatchFrame(b *testing.B) {
	w := newWatch(true)
	u := media.Unit{Codec: media.H264}
	for b.Loop() {
		u.DTS += frameTime
		u.Key = u.DTS%time.Second == 0
		w.frame(u)
	}
}
