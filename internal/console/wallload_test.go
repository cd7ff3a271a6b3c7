package console

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

// simulated are live streams that are made up: each has a shot at each interval,
// spread over it, which comes to the wall as those of real ones do.
type simulated struct {
	wall     *Wall
	previews [][]byte
	stop     context.CancelFunc
	done     sync.WaitGroup
}

func simulate(t *testing.T, w *Wall, streams int, interval time.Duration) *simulated {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &simulated{wall: w, stop: cancel}
	for i := range 32 {
		s.previews = append(s.previews, noise(t, i))
	}
	for i := range streams {
		w.began(fmt.Sprintf("stream-%03d", i))
		w.shot(fmt.Sprintf("stream-%03d", i), int64(1+i), s.previews[i%len(s.previews)])
	}
	s.done.Go(func() { s.run(ctx, streams, interval) })
	t.Cleanup(func() {
		cancel()
		s.done.Wait()
	})
	return s
}

func (s *simulated) run(ctx context.Context, streams int, interval time.Duration) {
	tick := time.NewTicker(interval / time.Duration(streams))
	defer tick.Stop()
	for id := streams; ; id++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		s.wall.shot(fmt.Sprintf("stream-%03d", id%streams), int64(1+id), s.previews[id%len(s.previews)])
	}
}

// noise is a picture that is as large in bytes as one of a real stream.
func noise(t *testing.T, seed int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 320, 180))
	for y := range 180 {
		for x := range 320 {
			v := uint8((x*(7+seed) ^ y*(13+seed)) & 0x3f)
			img.Set(x, y, color.RGBA{uint8(x) + v, uint8(y) + v, uint8(8*seed) + v, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestManyStreams has a browser read a wall of 500 streams: each one's newest shot
// comes within moments, without any being asked for.
func TestManyStreams(t *testing.T) {
	r, w, _ := newWallRig(t)
	const streams = 500
	simulate(t, w, streams, time.Second)
	b := r.as("viewer", r.viewer)
	page := b.get("")
	b.want(page, http.StatusOK, "500 of 500 live", "stream-499")
	l := b.listen()
	if e := l.next(); len(e.Tiles) != streams {
		t.Fatalf("the first event has %d tiles", len(e.Tiles))
	}
	seen := map[string]int64{}
	for len(seen) < streams {
		e := l.next()
		if e.Name == "" {
			t.Fatal("the connection ended")
		}
		for _, tile := range e.Tiles {
			if before := seen[tile.ID]; before >= tile.Shot {
				t.Errorf("%s: shot %d came after %d", tile.ID, tile.Shot, before)
			}
			seen[tile.ID] = tile.Shot
		}
	}
}

// BenchmarkWallPage is what the first look at a wall of 500 streams costs.
func BenchmarkWallPage(b *testing.B) {
	w := NewWall()
	for i := range 500 {
		w.began(fmt.Sprintf("stream-%03d", i))
		w.shot(fmt.Sprintf("stream-%03d", i), int64(1+i), []byte("jpeg"))
	}
	p, err := newPagesForTest()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		q := wallQuery{Sort: sortName}
		var out bytes.Buffer
		data := wallData{wallQuery: q, Tiles: q.choose(w.all()), Total: 500}
		if err := p.sets["en"]["wall"].ExecuteTemplate(&out, "base.html", shown{Page: "wall", Lang: "en", Data: data}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWallUpdate is what a shot costs with ten viewers, who each get it.
func BenchmarkWallUpdate(b *testing.B) {
	w := NewWall()
	w.began("a")
	var viewers []*viewer
	for i := range 10 {
		v, _ := w.join(fmt.Sprint(i))
		v.take()
		viewers = append(viewers, v)
	}
	n := Newest{
		Shot:     stillcast.Shot{ID: 1, PushID: "push-a", Stream: streamNamed("a"), Captured: time.Now()},
		Template: stillcast.SnapshotTemplate{}.WithDefaults(), Preview: []byte("jpeg"),
	}
	for b.Loop() {
		n.Shot.ID++
		w.Shot(n)
		for _, v := range viewers {
			v.take()
		}
	}
}

func newPagesForTest() (*pages, error) {
	s, err := newStatic()
	if err != nil {
		return nil, err
	}
	return newPages(s, time.UTC)
}
