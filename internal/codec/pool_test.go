package codec

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// testConfig has no limit on memory, of which the sanitizers reserve terabytes. Tests of limits use builtWorker and DefaultConfig.
func testConfig(workers int) Config {
	c := DefaultConfig()
	c.Workers, c.Timeout = workers, 30*time.Second
	c.MemoryLimit, c.MaxRSS, c.CPULimit, c.AllowUnsandboxed = 0, 0, 0, addressSanitizer
	return c
}

func newPool(t testing.TB, c Config, mode string) *Pool {
	t.Helper()
	return newPoolOf(t, c, Program{Path: testBinary(t), Env: []string{workerEnv + "=" + mode}})
}

func newPoolOf(t testing.TB, c Config, program Program) *Pool {
	t.Helper()
	p, err := NewPool(c, program, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func startPool(t testing.TB, c Config, mode string) *Pool {
	t.Helper()
	p := newPool(t, c, mode)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// turns is a mode of workers: the first behaves otherwise than those after it.
func turns(t testing.TB, first, then string) string {
	t.Helper()
	return first + "," + then + ":" + filepath.Join(t.TempDir(), "first")
}

func request(clip codectest.Clip) Request {
	return Request{Config: clip.Config, Units: clip.Units, Pictures: []stillcast.PictureSpec{{Quality: 85}}}
}

// sized is a request for one picture of another size.
func (r Request) sized(width, height int) Request {
	r.Pictures = []stillcast.PictureSpec{{Size: stillcast.Size{Width: width, Height: height}, Quality: 85}}
	return r
}

func small(t testing.TB) Request {
	t.Helper()
	return request(codectest.Read(t, "av/testdata/cabac.flv"))
}

func restarts(p *Pool, reason string) int {
	return int(testutil.ToFloat64(p.metrics.restarts.WithLabelValues(reason)))
}

func results(p *Pool, result string) int {
	return int(testutil.ToFloat64(p.metrics.requests.WithLabelValues(result)))
}

func TestShoot(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(2), "real")
	source := testkit.Source{Width: 1280, Height: 720}
	r := request(codectest.Make(t, source.Graph(), 1, "-crf", "12", "-colorspace", "bt709"))
	r.Pictures[0].Quality = 95
	made, err := p.Shoot(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if psnr := testkit.PSNR(testkit.ReferenceFrame(t, source, 0), testkit.DecodeJPEG(t, made.Pictures[0].Data)); psnr < 38 {
		t.Errorf("PSNR is %.1f dB, wanted at least 38", psnr)
	}
	if made.Decode <= 0 || made.Scale <= 0 || made.Encode <= 0 || made.Worker <= 0 {
		t.Errorf("picture is said to have taken %s, %s, %s in worker %d", made.Decode, made.Scale, made.Encode, made.Worker)
	}
	if m := made.Measures; m.Luma < 1 || m.Variance < 1 || m.Black || m.Solid || m.Hash == 0 {
		t.Errorf("a picture of many colours is measured as %+v", m)
	}
	if n := results(p, "picture"); n != 1 {
		t.Errorf("%d pictures are counted, wanted 1", n)
	}
	if n := testutil.CollectAndCount(p.metrics.seconds); n != 3 {
		t.Errorf("%d stages are measured, wanted 3", n)
	}
	if n := testutil.ToFloat64(p.metrics.workers); n != 2 {
		t.Errorf("%v workers are counted, wanted 2", n)
	}
}

func TestShootSizes(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(1), "real")
	wide := codectest.Make(t, "testsrc2=size=480x360,setsar=4/3", 1)
	upright := codectest.Make(t, "testsrc2=size=360x640", 1)
	cases := []struct {
		name         string
		clip         codectest.Clip
		wanted       stillcast.Size
		want, source size
	}{
		{"of the source, as it is shown", wide, stillcast.Size{}, size{640, 360}, size{640, 360}},
		{"by width", wide, stillcast.Size{Width: 320}, size{320, 180}, size{640, 360}},
		{"by height", wide, stillcast.Size{Height: 90}, size{160, 90}, size{640, 360}},
		{"both", wide, stillcast.Size{Width: 200, Height: 200}, size{200, 200}, size{640, 360}},
		{"swapped", upright, stillcast.Size{Width: 320, Height: 180}, size{180, 320}, size{360, 640}},
	}
	for _, c := range cases {
		r := request(c.clip).sized(c.wanted.Width, c.wanted.Height)
		made, err := p.Shoot(t.Context(), r)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := (size{made.Pictures[0].Width, made.Pictures[0].Height}); got != c.want {
			t.Errorf("%s: picture of %s, wanted %s", c.name, got, c.want)
		}
		if got := made.source(); got != c.source {
			t.Errorf("%s: source of %s, wanted %s", c.name, got, c.source)
		}
	}
}

func TestShootRefuses(t *testing.T) {
	t.Parallel()
	c := testConfig(1)
	c.MaxUnitBytes = 64 << 10
	c.MaxPixels = 2000 * 1000
	p := startPool(t, c, "real")
	good := small(t)
	cases := []struct {
		name   string
		change func(*Request)
		want   error
		text   string
	}{
		{"no configuration", func(r *Request) { r.Config = nil }, nil, "no decoder configuration"},
		{"codec", func(r *Request) { r.Config = &media.Config{} }, ErrUnsupported, "none"},
		{"no picture", func(r *Request) { r.Pictures = nil }, nil, "0 pictures"},
		{"many pictures", func(r *Request) { r.Pictures = make([]stillcast.PictureSpec, MaxPictures+1) }, nil, "7 pictures"},
		{"quality", func(r *Request) { r.Pictures[0].Quality = 101 }, nil, "quality 101"},
		{"no quality", func(r *Request) { r.Pictures[0].Quality = 0 }, nil, "quality 0"},
		{"width", func(r *Request) { r.Pictures[0].Width = -1 }, nil, "-1x0"},
		{"fit", func(r *Request) { r.Pictures[0].Fit = "squeeze" }, nil, `"squeeze"`},
		{"format", func(r *Request) { r.Pictures[0].Format = "gif" }, nil, `"gif"`},
		{"no unit", func(r *Request) { r.Units = nil }, ErrNoPicture, "no access unit"},
		{"many units", func(r *Request) { r.Units = make([][]byte, maxUnits+1) }, ErrTooLarge, "4097 access units"},
		{"large unit", func(r *Request) { r.Units = [][]byte{make([]byte, 40<<10), make([]byte, 40<<10)} }, ErrTooLarge, "81920 bytes"},
		{"large record", func(r *Request) { r.Config = &media.Config{Codec: media.H264, Record: make([]byte, 1<<20)} }, ErrTooLarge, "1048576 bytes"},
		{"large stream", func(r *Request) { r.Config = &media.Config{Codec: media.H264, Width: 2001, Height: 1000} }, ErrTooLarge, "2001x1000"},
		{"large picture", func(r *Request) { r.Pictures[0].Width = 2000 }, ErrTooLarge, "2000x1500"},
		{"long picture", func(r *Request) { r.Pictures[0].Size = stillcast.Size{Width: 30000, Height: 2000} }, ErrTooLarge, "30000x2000"},
		{"long WebP", func(r *Request) {
			r.Pictures[0] = stillcast.PictureSpec{Size: stillcast.Size{Width: 16384, Height: 10}, Format: stillcast.FormatWebP, Quality: 1}
		}, ErrTooLarge, "16383 on each side"},
	}
	for _, c := range cases {
		r := good
		r.Pictures = slices.Clone(r.Pictures)
		c.change(&r)
		_, err := p.Shoot(t.Context(), r)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: error is %v, wanted %v with %q", c.name, err, c.want, c.text)
		}
	}
	if n := results(p, "invalid"); n != 8 {
		t.Errorf("%d invalid requests are counted, wanted 8", n)
	}
	if _, err := p.Shoot(t.Context(), good); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// What a stream does wrong costs its own shot and no worker.
func TestHostileStreams(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(1), "real")
	clip := codectest.Make(t, "mandelbrot=size=320x180", 2, "-bf", "0")
	broken := append([]byte{}, clip.Units[0]...)
	for i := len(broken) / 3; i < len(broken); i += 7 {
		broken[i] ^= 0xff
	}
	cases := []struct {
		name   string
		clip   codectest.Clip
		want   error
		result string
	}{
		{"broken", clip.WithUnit(broken), ErrDamaged, "damaged"},
		{"truncated", clip.WithUnit(clip.Units[0][:100]), ErrDamaged, "damaged"},
		{"no key frame", clip.WithUnit(clip.Units[1]), ErrNoPicture, "no_picture"},
		{"bomb", codectest.Bomb(t, 16112, 16112, 0, true), ErrTooLarge, "too_large"},
		{"cropped bomb", codectest.Bomb(t, 16112, 16112, 64, false), ErrTooLarge, "too_large"},
	}
	first, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		before := results(p, c.result)
		_, err := p.Shoot(t.Context(), request(c.clip))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error is %v, wanted %v", c.name, err, c.want)
		}
		if n := results(p, c.result) - before; n != 1 {
			t.Errorf("%s: counted %d times as %s", c.name, n, c.result)
		}
	}
	last, err := p.Shoot(t.Context(), small(t))
	if err != nil || last.Worker != first.Worker {
		t.Errorf("afterwards: %v, worker %+v, wanted that of before, %d", err, last, first.Worker)
	}
}

func TestStartReportsWhatTheWorkerSaid(t *testing.T) {
	t.Parallel()
	p := newPool(t, testConfig(2), "broken")
	if err := p.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "error while loading shared libraries") || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("error is %v", err)
	}
	half := newPool(t, testConfig(2), turns(t, "real", "broken"))
	if err := half.Start(t.Context()); err == nil {
		t.Error("started with one worker of two")
	}
	missing, err := NewPool(testConfig(1), Program{Path: "/nonexistent/stillcast"}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if err := missing.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "/nonexistent/stillcast") {
		t.Errorf("error is %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newPool(t, testConfig(1), "real").Start(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, wanted %v", err, context.Canceled)
	}
	started := startPool(t, testConfig(1), "real")
	if err := started.Start(t.Context()); err == nil {
		t.Error("started twice")
	}
}

// There may be secrets in the environment of the program.
func TestWorkersGetNoEnvironment(t *testing.T) {
	t.Setenv("STILLCAST_SECRET", "hunter2")
	err := newPool(t, testConfig(1), "env").Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "environment: ") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error is %v", err)
	}
}

func TestNewPoolRefusesBadConfig(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	if _, err := NewPool(Config{}, Program{}, slog.New(slog.DiscardHandler), registry); err == nil {
		t.Error("an empty configuration is taken")
	}
	for i, want := range []bool{true, false} {
		if _, err := NewPool(testConfig(1), Program{}, slog.New(slog.DiscardHandler), registry); (err == nil) != want {
			t.Errorf("pool %d on one registry: %v", i, err)
		}
	}
}

// gone reports whether no process has the id, not even a dead one that nobody waited for.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestCloseEndsAllWorkers(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(2), turns(t, "hang", "real"))
	hanging := make(chan error, 2)
	results := make(chan *Result, 2)
	for range 2 {
		// One of them, or a later one, meets the worker that hangs.
		go func() {
			for {
				made, err := p.Shoot(t.Context(), small(t))
				if err != nil {
					hanging <- err
					return
				}
				results <- made
			}
		}()
	}
	pid := (<-results).Worker
	go func() {
		for range results {
		}
	}()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-hanging; !errors.Is(err, ErrClosed) {
			t.Errorf("shot at the end: error is %v, wanted %v", err, ErrClosed)
		}
	}
	close(results)
	if !gone(pid) {
		t.Errorf("worker %d is still there", pid)
	}
	if n := testutil.ToFloat64(p.metrics.workers); n != 0 {
		t.Errorf("%v workers are counted, wanted none", n)
	}
	if err := p.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
	if _, err := p.Shoot(t.Context(), small(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("shot afterwards: error is %v, wanted %v", err, ErrClosed)
	}
	if err := p.Start(t.Context()); !errors.Is(err, ErrClosed) && err == nil {
		t.Error("started after it was closed")
	}
}

// One shot at a time is one worker's: the others' memory need not be in any cache.
func TestOneWorkerMakesMostOfFewShots(t *testing.T) {
	t.Parallel()
	const shots = 20
	p := startPool(t, testConfig(2), "real")
	made := map[int]int{}
	for range shots {
		one, err := p.Shoot(t.Context(), small(t))
		if err != nil {
			t.Fatal(err)
		}
		made[one.Worker]++
		waitIdle(t, p, one.Worker, made[one.Worker])
	}
	// The slot may still be a moment from being idle, so not all.
	if most := slices.Max(slices.Collect(maps.Values(made))); most <= shots*3/4 {
		t.Errorf("workers made %v of %d shots, wanted nearly all by one", made, shots)
	}
}

// waitIdle waits until the slot of a worker has noted so many shots.
func waitIdle(t *testing.T, p *Pool, pid, shots int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		if slices.ContainsFunc(p.Workers(), func(w WorkerState) bool { return w.PID == pid && w.Shots == shots }) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("the workers are %+v, wanted %d to have made %d shots", p.Workers(), pid, shots)
		case <-time.After(time.Millisecond):
		}
	}
}
