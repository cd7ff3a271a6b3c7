package capture

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

var (
	errEmpty  = errors.New("no picture")
	errPoison = errors.New("the worker died")
)

// rig is an engine whose pictures and records are watched by a test.
type rig struct {
	*Engine
	mu       sync.Mutex
	template stillcast.SnapshotTemplate
	active   bool
	tasks    []Plan // beside that of the rule
	shoot    func(Order) (stillcast.Facts, error)
	orders   []ordered
	taken    []Taken
	full     bool // there is no room
	refuse   bool // there is none for what is recorded
	lent     int  // access units that were taken
	released int
}

// ordered is an order, as the frames that it is of.
type ordered struct {
	frames []int
	first  bool
}

func newRig(t testing.TB, cfg Config, workers int) *rig {
	t.Helper()
	r := &rig{active: true, template: stillcast.SnapshotTemplate{Name: "t", Interval: 10 * time.Second}.WithDefaults()}
	e, err := New(Options{
		Config: cfg, Workers: workers, Decoders: workers, MaxUnits: 4096, MaxUnitBytes: 8 << 20,
		Plans:     r.plans,
		Shoot:     r.make,
		NoPicture: func(err error) bool { return errors.Is(err, errEmpty) },
		Poison:    func(err error) bool { return errors.Is(err, errPoison) },
		Room:      r.room,
		Record:    r.record,
		Logger:    slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Engine = e
	return r
}

func (r *rig) plans(stillcast.Push) []Plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.active {
		return r.tasks
	}
	return append([]Plan{{Template: r.template}}, r.tasks...)
}

func (r *rig) make(_ context.Context, o Order) (Picture, error) {
	r.mu.Lock()
	r.orders = append(r.orders, ordered{framesOf(o), o.First})
	r.mu.Unlock()
	p := Picture{Images: make([]Image, len(o.Pictures)), Facts: stillcast.Facts{Decode: time.Duration(len(o.Units)) * 5 * time.Millisecond}}
	if r.shoot == nil {
		return p, nil
	}
	facts, err := r.shoot(o)
	if facts.Decode == 0 {
		facts.Decode = p.Facts.Decode
	}
	p.Facts = facts
	return p, err
}

func (r *rig) room(context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.full
}

func (r *rig) record(_ context.Context, taken Taken) (stillcast.Shot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse {
		return stillcast.Shot{}, fmt.Errorf("%w: of that size", ErrNoRoom)
	}
	r.taken = append(r.taken, taken)
	return stillcast.Shot{ID: int64(len(r.taken)), Captured: taken.Captured}, nil
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// exactly makes the rig's template an exact one.
func (r *rig) exactly(interval time.Duration) {
	r.template.Accuracy, r.template.Interval = stillcast.AccuracyExact, interval
}

func (r *rig) open(name string) *Stream {
	s := r.Open(stillcast.Push{ID: name, Stream: stillcast.Stream{Domain: "d", App: "a", Name: name}}, closed())
	s.Configure(h264Config())
	return s
}

// end closes streams and stops the engine.
func (r *rig) end(t *testing.T, streams ...*Stream) {
	t.Helper()
	for _, s := range streams {
		s.Close()
	}
	r.Stop(t.Context())
	if n := r.kept.used.Load(); n != 0 {
		t.Errorf("%d bytes are kept after the end, want none", n)
	}
	if r.released != r.lent {
		t.Errorf("%d of %d access units were given back to ingest", r.released, r.lent)
	}
}

// kind is what a frame is made of.
type kind int

const (
	idr      kind = iota
	recovery      // P slices with a recovery point after 10 frames
	openI         // I slices with a recovery point at once
	intra         // I slices
	inter
	disposable
	garbage
)

// frame is a picture of a test's stream.
type frame struct {
	n        int
	kind     kind
	flag     bool // flagged as a key frame
	dts, pts time.Duration
	size     int // bytes beside the header
}

// h264Config is what x264 in FFmpeg 5.1 really sent for 320x180 pixels.
func h264Config() *media.Config {
	record, err := hex.DecodeString("0164000dffe1001a6764000dacd941419f9f01100000030010000003032" + "0f14299600100" + "0568ebecb22cfdf8f800")
	if err != nil {
		panic(err)
	}
	return &media.Config{Codec: media.H264, Record: record, Width: 320, Height: 180}
}

// bytes returns the frame as an access unit, with its number in it.
func (f frame) bytes() []byte {
	var nals [][]byte
	slice := []byte{0x41, 0x9a}
	switch f.kind {
	case idr:
		slice = []byte{0x65, 0x88}
	case recovery:
		nals = append(nals, []byte{0x06, 0x06, 0x02, 0x17, 0x10, 0x80}) // recovery_frame_cnt 10
	case openI:
		nals = append(nals, []byte{0x06, 0x06, 0x01, 0xc4, 0x80}) // recovery_frame_cnt 0
		slice = []byte{0x41, 0x88}
	case intra:
		slice = []byte{0x41, 0x88}
	case disposable:
		slice = []byte{0x01, 0x9e}
	case garbage:
		return binary.BigEndian.AppendUint32(nil, uint32(f.n))
	case inter:
	}
	slice = append(slice, make([]byte, f.size)...)
	slice = binary.BigEndian.AppendUint32(slice, uint32(f.n))
	var b []byte
	for _, nal := range append(nals, slice) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(nal)))
		b = append(b, nal...)
	}
	return b
}

func framesOf(o Order) []int {
	var all []int
	for _, u := range o.Units {
		n := -1
		if len(u) >= 4 {
			n = int(binary.BigEndian.Uint32(u[len(u)-4:]))
		}
		all = append(all, n)
	}
	return all
}

// send offers a frame and reports whether it was taken.
func (r *rig) send(s *Stream, f frame) bool {
	data := f.bytes()
	u := media.Unit{Codec: media.H264, Key: f.flag, DTS: f.dts, PTS: f.pts, Size: len(data)}
	if !s.Want(u) {
		return false
	}
	r.lent++
	s.Take(media.NewAccessUnit(u, s.config, data, time.Now(), func(b []byte) {
		clear(b) // as ingest does, which takes the buffer for another
		r.mu.Lock()
		defer r.mu.Unlock()
		r.released++
	}))
	return true
}

// frame offers a frame without timestamps and reports whether it was taken.
func (r *rig) frame(s *Stream, key bool) bool {
	k := inter
	if key {
		k = idr
	}
	return r.send(s, frame{kind: k, flag: key})
}

// play sends frames at the times of their dts, shifted by late if that is given.
func (r *rig) play(s *Stream, frames []frame, late func(frame) time.Duration) {
	began := time.Now()
	for _, f := range frames {
		at := f.dts - frames[0].dts
		if late != nil {
			at += late(f)
		}
		time.Sleep(time.Until(began.Add(at)))
		r.send(s, f)
	}
	synctest.Wait() // for what the last frame set off
}

// targets returns the last frame of each order.
func (r *rig) targets() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []int
	for _, o := range r.orders {
		all = append(all, o.frames[len(o.frames)-1])
	}
	return all
}

func (r *rig) fallbacks(reason string) float64 {
	return testutil.ToFloat64(r.metrics.fallback.WithLabelValues(reason))
}

// steady returns n frames at a rate of fps, with an IDR picture every gop.
func steady(n, fps, gop int) []frame { return paced(n, time.Second/time.Duration(fps), gop) }

// paced returns n frames of a duration, with timestamps in whole milliseconds.
func paced(n int, each time.Duration, gop int) []frame {
	all := make([]frame, n)
	for i := range all {
		// The nanoseconds make good what the division in each cut off.
		at := (time.Duration(i)*each + time.Duration(i)).Truncate(time.Millisecond)
		all[i] = frame{n: i, kind: inter, dts: at, pts: at}
		if i%gop == 0 {
			all[i].kind, all[i].flag = idr, true
		}
	}
	return all
}
