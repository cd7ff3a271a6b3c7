package console

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/testkit"
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

// loadKey names the environment variable that says for how long [TestWallLoad]
// looks, such as 10m.
const loadKey = "STILLCAST_WALL_LOAD"

// TestWallLoad has a browser show 500 streams with an interval of 10 s. In its long
// form it checks the times, too, which the other tests would disturb.
func TestWallLoad(t *testing.T) {
	look, long := 5*time.Second, false
	if text := os.Getenv(loadKey); text != "" {
		var err error
		if look, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		long = true
	}
	r, w, _ := newWallRig(t)
	const streams = 500
	w.look()
	simulate(t, w, streams, 10*time.Second)
	alone := 0.0
	if long {
		alone = share(t, time.After(30*time.Second))
	}
	var began time.Duration
	var at time.Time
	with := 0.0
	figures := runScript(t, r, "load.mjs", look, map[string]func(){
		"begin": func() { began, at = processorTime(t), time.Now() },
		"end":   func() { with = (processorTime(t) - began).Seconds() / time.Since(at).Seconds() },
	})
	t.Logf("first contentful %.0f ms, all pictures in view after %.0f ms; %.4f of a core for the streams, %.4f more for the viewer; "+
		"heap %.2f MB, then %.2f MB; %.0f nodes, then %.0f; the page's own work %.1f s of %s; %d pictures",
		figures.FirstContentful, figures.AllPictures, alone, with-alone, figures.Before.Heap/1e6, figures.After.Heap/1e6,
		figures.Before.Nodes, figures.After.Nodes, figures.After.Task-figures.Before.Task, look, figures.Pictures)
	if figures.Streams != streams || figures.Pictures < 20 || figures.Pictures > 150 || !figures.Changed {
		t.Errorf("the wall has %d streams and %d pictures", figures.Streams, figures.Pictures)
	}
	if figures.After.Heap > 1.2*figures.Before.Heap || figures.After.Nodes > 1.1*figures.Before.Nodes || figures.After.Listeners > 1.1*figures.Before.Listeners {
		t.Errorf("the page grows: %+v, then %+v", figures.Before, figures.After)
	}
	if long && (figures.FirstContentful > 1000 || with-alone > 0.05) {
		t.Error("the wall is too slow, or costs too much")
	}
}

// processorTime is what this process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// share is how much of a core this process takes until a time.
func share(t *testing.T, until <-chan time.Time) float64 {
	t.Helper()
	began, at := processorTime(t), time.Now()
	<-until
	return (processorTime(t) - began).Seconds() / time.Since(at).Seconds()
}

// loadFigures are what load.mjs measures, in bytes, milliseconds and seconds.
type loadFigures struct {
	Streams, Pictures            int
	Changed                      bool
	FirstContentful, AllPictures float64
	Before, After                struct{ Heap, Nodes, Listeners, Task float64 }
}

// runScript runs a script of package browser as the viewer, and returns its figures.
func runScript(t *testing.T, r *rig, name string, look time.Duration, do map[string]func()) (figures loadFigures) {
	t.Helper()
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("browser", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	arguments, err := json.Marshal(map[string]any{"url": r.server.URL, "password": r.viewer, "seconds": look.Seconds(), "screenshots": t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), look+2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--input-type=module", "--eval", string(read("helpers.mjs"))+string(read(name)), string(arguments))
	cmd.Dir = testkit.NPMFolder(t, "browser", read("package-lock.json"))
	answers, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr, cmd.WaitDelay = cmd.Stdout, 5*time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("start node (scripts/setup.sh test installs it): %v", err)
	}
	for lines := bufio.NewScanner(said); lines.Scan(); {
		line := lines.Text()
		if wish, ok := strings.CutPrefix(line, "DO "); ok && do[wish] != nil {
			do[wish]()
			if _, err := io.WriteString(answers, "done\n"); err != nil {
				t.Error(err)
			}
		} else if text, ok := strings.CutPrefix(line, "FIGURES "); !ok {
			t.Log(line)
		} else if err := json.Unmarshal([]byte(text), &figures); err != nil {
			t.Errorf("figures %s: %v", text, err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the script failed: %v", err)
	}
	return figures
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
