package rtmp

import (
	"image/color"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// patience is how long OBS may take to start or to stop on a machine that has other things to do; two seconds are usual.
const patience = 2 * time.Minute

// OBS itself, with x264's B-frames as it comes, streams for some seconds and stops by its own button.
func TestOBS(t *testing.T) {
	t.Parallel()
	const keyFrames = 10 // from one to the next
	g := newFakeGate()
	f := start(t, patientConfig(), g)
	fill := color.RGBA{R: 0xc0, G: 0x40, B: 0x20, A: 0xff}
	publisher := testkit.PushOBS(t, "rtmp://"+f.Addr().String()+"/live/room?txSecret=0a&txTime=6f",
		testkit.Source{Width: 640, Height: 360, Rate: 25},
		testkit.Encoding{KeyFrames: keyFrames * time.Second / 25, Duration: 3 * time.Second}, fill)
	p := waitFor(t, g.pushes, publisher, "no push was admitted")
	waitFor(t, p.ended, publisher, "the push did not end")
	if end := p.end(t); end.Code != stillcast.EndClient || end.Width != 640 || end.Height != 360 {
		t.Errorf("end %+v", end)
	}
	if req := g.request(t); req.URL.Stream.String() != "127.0.0.1/live/room" || req.URL.Param != "txSecret=0a&txTime=6f" {
		t.Errorf("push URL %+v", req.URL)
	}
	// OBS gives the encoder a frame for each 40 ms, if need be the same again.
	units := p.taken()
	if len(units) < 4 || len(p.configs) != 1 {
		t.Fatalf("%d key frames of %d frames and %d configurations, want about 8 of 75 and 1", len(units), len(p.asked), len(p.configs))
	}
	for i, u := range p.asked {
		if u.Key != (i%keyFrames == 0) {
			t.Errorf("frame %d: key frame %v", i, u.Key)
		}
	}
	for _, u := range units {
		checkFill(t, p.configs[0], u, fill)
	}
}

// patientConfig does not take a slow machine for an attack.
func patientConfig() Config {
	cfg := testConfig()
	cfg.HandshakeTimeout, cfg.ConnectTimeout, cfg.PublishTimeout, cfg.IdleTimeout = patience, patience, patience, patience
	return cfg
}

// waitFor waits for an event; a publisher that ends before it has failed.
func waitFor[T any](t *testing.T, events <-chan T, publisher *testkit.Process, late string) T {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-publisher.Done():
		t.Fatalf("%s, and the publisher has ended", late)
	case <-time.After(patience):
		t.Fatal(late)
	}
	var none T
	return none
}

// checkFill decodes a key frame, whose picture must be of one colour.
func checkFill(t *testing.T, c media.Config, u unit, fill color.RGBA) {
	t.Helper()
	frame, err := av.Decode(av.Input{Codec: c.Codec, Record: c.Record, Units: [][]byte{[]byte(u.Data)}}, DefaultConfig().MaxPixels)
	if err != nil {
		t.Errorf("key frame at %s: %v", u.DTS, err)
		return
	}
	defer frame.Close()
	picture, err := frame.Picture(av.Geometry{Width: frame.Width(), Height: frame.Height()})
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	data, err := picture.JPEG(av.JPEGOptions{Quality: 95})
	if err != nil {
		t.Fatal(err)
	}
	shown := testkit.DecodeJPEG(t, data)
	for _, at := range [][2]int{{0, 0}, {320, 180}, {639, 359}} {
		if got := shown.At(at[0], at[1]); !alike(got, fill) {
			t.Errorf("key frame at %s shows %v at %v, want %v", u.DTS, got, at, fill)
		}
	}
}

// alike allows for what limited range and JPEG's colours round.
func alike(a, b color.Color) bool {
	const off = 4 << 8
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	near := func(a, b uint32) bool { return a <= b+off && b <= a+off }
	return near(ar, br) && near(ag, bg) && near(ab, bb)
}
