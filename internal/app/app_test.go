package app

import (
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/media/flv"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/testkit"
)

var stateAll = state.ShotFilter{Limit: state.MaxPage}

func TestStopDrainsAndLosesNothing(t *testing.T) {
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	a := startApp(t, cfg)
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: time.Second, Duration: 60 * time.Second})
	h.shot()
	began := time.Now()
	if err := a.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > DrainTime+time.Second {
		t.Errorf("stop took %s, want at most %s", took, DrainTime)
	}
	again := startApp(t, cfg)
	count, _, err := again.state.SpoolStats(t.Context())
	if err != nil || count != 0 {
		t.Errorf("%d pictures in the spool after a stop (%v), want none", count, err)
	}
	open, err := again.state.OpenPushes(t.Context())
	if err != nil || len(open) != 0 {
		t.Errorf("%d pushes without an end after a stop (%v), want none", len(open), err)
	}
	if end := h.end(); end.ErrCode != int(stillcast.EndInterrupted) {
		t.Errorf("the push ended with %d (%s), want %d", end.ErrCode, end.ErrMsg, stillcast.EndInterrupted)
	}
}

func TestEventsSurviveAReceiverThatIsAway(t *testing.T) {
	h := newHooks(t)
	h.failNext(3)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: time.Second, Duration: 3 * time.Second})
	seen := map[int64]bool{}
	retried := false
	for len(seen) < 2 || !retried {
		e := h.next()
		retried = retried || e.Meta.Attempt > 1
		if _, ok := e.Event.(callback.Screenshot); ok {
			seen[e.Meta.Sequence] = true
		}
	}
	if !seen[1] || !seen[2] {
		t.Errorf("sequences %v arrived, want no gap", seen)
	}
}

func TestWrongCodecEndsThePushWithTheReason(t *testing.T) {
	h := newHooks(t)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	client, err := publish.Dial(t.Context(), pushURL(a.RTMPAddr(), "s"), publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	// A key frame (1) in FLV's codec 4, On2 VP6.
	if err := client.Write(flv.Tag{Type: flv.Video, Data: []byte{0x14, 0x00, 0x78, 0x46}}); err != nil {
		t.Fatal(err)
	}
	end := h.end()
	for _, want := range []string{"FLV video codec 4 (On2 VP6)", "is not supported", "H.264", "HEVC", "AV1", "VP9", "VP8"} {
		if end.ErrCode != int(stillcast.EndRefused) || !strings.Contains(end.ErrMsg, want) {
			t.Errorf("end %d %q, want %d and %q", end.ErrCode, end.ErrMsg, stillcast.EndRefused, want)
		}
	}
	<-client.Done()
	if err := client.Err(); err == nil || !strings.Contains(err.Error(), "VP6") {
		t.Errorf("the publisher was told %v, want the codec's name", err)
	}
}

func TestNewNamesWhatIsAtFault(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := t.TempDir()
	startApp(t, testConfig(busy, ""))
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*config.Config)
		want   []string
	}{
		{"rtmp port in use", func(c *config.Config) { c.Listen.RTMP = taken.Addr().String() }, []string{"listen.rtmp", taken.Addr().String()}},
		{"http port in use", func(c *config.Config) { c.Listen.HTTP = taken.Addr().String() }, []string{"listen.http", taken.Addr().String()}},
		{"ops port in use", func(c *config.Config) { c.Listen.Ops = taken.Addr().String() }, []string{"listen.ops", taken.Addr().String()}},
		{"data folder in use", func(c *config.Config) { c.DataDir = busy }, []string{"data_dir", busy, "in use"}},
		{"data folder is a file", func(c *config.Config) { c.DataDir = file }, []string{"data_dir", file}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig(t.TempDir(), "")
			tt.change(cfg)
			_, err := New(t.Context(), Options{Config: cfg, Worker: testWorker(), Version: "test", Logger: slog.New(slog.DiscardHandler)})
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not name %q", err, part)
				}
			}
		})
	}
}

func TestOps(t *testing.T) {
	h := newHooks(t)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: time.Second, Duration: 20 * time.Second})
	h.shot()
	h.shot()
	base := "http://" + a.OpsAddr().String()
	for _, path := range []string{"/healthz", "/readyz", "/debug/pprof/"} {
		if _, err := download(t.Context(), base+path); err != nil {
			t.Error(err)
		}
	}
	h.failNext(1 << 20) // so that something is owed
	page := waitForMetric(t, base, `stillcast_notify_oldest_undelivered_seconds{destination="hooks/shot"}`)
	for _, name := range []string{
		"stillcast_ingest_streams 1", "stillcast_rtmp_received_bytes_total", "stillcast_capture_due_total",
		"stillcast_capture_taken_total", "stillcast_capture_shed_total", "stillcast_codec_seconds", "stillcast_spool_store_seconds",
		"stillcast_notify_lag_seconds", "stillcast_notify_deliveries",
	} {
		if !strings.Contains(page, name) {
			t.Errorf("/metrics has no %q", name)
		}
	}
	reply, err := http.Post("http://"+a.HTTPAddr().String()+"/pictures/x/y.jpg", "text/plain", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST of a picture: %s, want 405", reply.Status)
	}
}

// waitForMetric returns the metrics once they hold name.
func waitForMetric(t *testing.T, base, name string) string {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		page, err := download(t.Context(), base+"/metrics")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(page), name) {
			return string(page)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("/metrics has no %s after 30 s", name)
		}
	}
}
