package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	tests := []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3}},
		{[]float64{4, 1}, Spread{1, 2.5, 4}},
		{[]float64{9, 1, 2}, Spread{1, 2, 9}},
		{[]float64{4, 3, 2, 1}, Spread{1, 2.5, 4}},
	}
	for _, tt := range tests {
		if got := spread(tt.values); got != tt.want {
			t.Errorf("spread(%v) = %v, wanted %v", tt.values, got, tt.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	tests := []struct {
		values  []float64
		p, want float64
	}{
		{nil, 0.5, 0},
		{[]float64{7}, 0.01, 7},
		{[]float64{7}, 1, 7},
		{[]float64{1, 2}, 0.5, 1},
		{[]float64{1, 2}, 0.51, 2},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
	}
	for _, tt := range tests {
		if got := percentile(tt.values, tt.p); got != tt.want {
			t.Errorf("percentile(%v, %g) = %g, wanted %g", tt.values, tt.p, got, tt.want)
		}
	}
}

// someRound is a round whose figures are easy to work with: a second of a stream
// costs 1 ms, a shot 40 ms, of which decoding is 20 ms.
func someRound() Round {
	run := CaptureRun{
		Interval: 10, Streams: 10, StreamSeconds: 1000, ServerCPU: 1.5, WorkersCPU: 3.5,
		Due: 103, Taken: 100, Passed: 1, Decode: 0.021, Encode: 0.004, PictureBytes: 200 << 10,
		StoredP50: 0.03, StoredP99: 0.4, EventP50: 0.035, EventP99: 0.41, Events: 100,
		Memory: []MemorySample{{0, 50 << 20, 90 << 20}, {1, 60 << 20, 90 << 20}, {2, 55 << 20, 90 << 20}},
		PSS:    100 << 20, OtherLoad: 0.07, Warnings: 2, Warning: "level=WARN msg=slow",
	}
	return Round{
		Runs: []CaptureRun{run}, Idle: CaptureRun{StreamSeconds: 500, ServerCPU: 0.5},
		Decode: 0.02, Receive: 0.0005, Floor: 0.002,
		FFmpeg: &FFmpeg{Live: Ways{Filter: 1800, NoKey: 180, PerShot: 198}, Flat: Ways{Filter: 900, NoKey: 90, PerShot: 99}},
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	r := someRound()
	got := map[string]float64{
		"CPU seconds for an hour":  r.main().perSecond() * 3600,
		"a shot":                   r.perShot(),
		"loop's floor for an hour": r.loopFloor() * 3600,
		"over the floor":           r.overFloor(),
		"over the loop's floor":    r.overLoop(),
		"streams at 10 s":          r.perCore(10),
		"streams at 1 s":           r.perCore(1),
	}
	want := map[string]float64{
		"CPU seconds for an hour":  18,
		"a shot":                   0.04,
		"loop's floor for an hour": 9,
		"over the floor":           2.5,
		"over the loop's floor":    2,
		"streams at 10 s":          200,
		"streams at 1 s":           1 / 0.041,
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9*math.Max(1, math.Abs(a)) })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	if n, ok := r.measuredPerCore(10); !ok || math.Abs(n-200) > 1e-9 {
		t.Errorf("measured streams for each core: %g, %t", n, ok)
	}
	if _, ok := r.measuredPerCore(2); ok {
		t.Error("an interval of 2 s was not measured")
	}
	if got := (Round{Runs: []CaptureRun{{}}}).overFloor(); got != 0 {
		t.Errorf("nothing measured is %g times the floor", got)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	second := someRound()
	second.Runs[0].ServerCPU = 2.5
	c := ClipReport{
		Name: "photo", Width: 1920, Height: 1080, Rounds: []Round{someRound(), second},
		Facts: Facts{Codec: "H.264", Seconds: 20, FrameRate: 30, BitRate: 4e6, KeyInterval: 2, KeyBytes: 200 << 10, KeyShare: 0.2},
	}
	text := c.text()
	for _, want := range []string{
		"photo: H.264 1920x1080, 30 pictures/s, 4.00 Mbit/s, a key frame of 200 KiB every 2 s (20 % of the bytes)\n",
		"10 streams for 1m40s, a shot every 10s\n",
		"\n  server  5.40 7.20 9.00\n",
		"\n  both, as a multiple of the floor  2.500 2.750 3.000\n",
		"\n  ffmpeg -vf fps=1/INTERVAL  1800.0 1800.0 1800.0\n",
		"\n  a shot every 1s, given key frames that often (computed)  20 22 24\n",
		"\n  a shot every 2s (computed)  38 43 48\n",
		"\n  a shot every 10s (measured)  167 183 200\n",
		"\n  ffmpeg -vf fps=1/INTERVAL  900.0 900.0 900.0\n",
		"\n  ffmpeg -vf fps=1/INTERVAL  41.67 45.83 50.00\n",
		"\n  one ffmpeg for each shot, receiving not counted  4.58 5.04 5.50\n",
		"103 due, 100 taken, 1 passed over (no key frame near), 0 shed, 0 failed, 2 unaccounted",
		"p50 30 ms, p99 400 ms\n",
		"50 MiB at 0s, 50 MiB at 0s, 60 MiB at 1s, 60 MiB at 1s, 55 MiB at 2s, at most 60 MiB\n",
		"7 % of it went to others",
		"the server warned 2 times, first: level=WARN msg=slow\n",
	} {
		if !strings.Contains(squeeze(text), squeeze(want)) {
			t.Errorf("the text does not hold %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "WITHOUT A PICTURE") || strings.Contains(text, "NaN") {
		t.Errorf("the text says what is not so:\n%s", text)
	}
}

// squeeze makes one blank of several.
func squeeze(text string) string {
	for strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	return text
}

func TestParseMetrics(t *testing.T) {
	t.Parallel()
	before := parseMetrics("a_total 1\n")
	m := parseMetrics(`# HELP a_total Words with 7
# TYPE a_total counter
a_total 5
b_total{reason="full up"} 2
b_total{reason="behind"} 1.5e1
b_totally 1000
c_seconds_sum{stage="decode"} 3
c_seconds_count{stage="decode"} 4
nonsense
`)
	if got := m.since(before, "a_total"); got != 4 {
		t.Errorf("a_total grew by %g, wanted 4", got)
	}
	if got := m.sum("b_total"); got != 17 {
		t.Errorf("b_total is %g, wanted 17", got)
	}
	if got := m.mean(before, "c_seconds", `{stage="decode"}`); got != 0.75 {
		t.Errorf("the mean is %g, wanted 0.75", got)
	}
	if got := m.mean(m, "c_seconds", `{stage="decode"}`); got != 0 {
		t.Errorf("the mean of nothing is %g, wanted 0", got)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := Options{Kinds: []string{"photo", "av1"}, Streams: 1, Intervals: []time.Duration{2 * time.Second}, Duration: time.Minute, Rounds: 1}
	if err := good.Validate(); err != nil {
		t.Errorf("good options: %v", err)
	}
	tests := []struct {
		change func(*Options)
		text   string
	}{
		{func(o *Options) { o.Streams = 0 }, "streams: is 0; allowed are 1 to 10000"},
		{func(o *Options) { o.Duration = time.Millisecond }, "duration: is 1ms; allowed are 1s to 4h0m0s"},
		{func(o *Options) { o.Rounds = 0 }, "rounds: is 0; allowed are 1 to 100"},
		{func(o *Options) { o.Workers = -1 }, "workers: is -1"},
		{func(o *Options) { o.FFmpegThreads = 65 }, "ffmpeg-threads: is 65; allowed are 0 to 64"},
		{func(o *Options) { o.Intervals = nil }, "interval: is missing"},
		{func(o *Options) { o.Intervals = []time.Duration{time.Second} }, "interval: is 1s"},
		{func(o *Options) { o.Intervals = []time.Duration{never} }, "interval: is 5m0s; it must be shorter"},
		{func(o *Options) { o.Kinds = []string{"film"} }, `kinds: "film" is no kind of clip; allowed are photo, stage, baseline, 720p, 2160p, hevc, av1, vp9`},
	}
	for _, tt := range tests {
		o := good
		tt.change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("error %v, wanted one with %q", err, tt.text)
		}
	}
}
