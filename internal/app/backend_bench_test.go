package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/capture"
)

// serveReceiver answers events with 200 until its standard input ends. It is a
// process of its own so that its CPU time is not counted.
func serveReceiver() int {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = l.Close()
	}()
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	})}
	_ = server.Serve(l)
	return 0
}

func startReceiver(b *testing.B) string {
	b.Helper()
	child := exec.CommandContext(b.Context(), os.Args[0])
	child.Env = append(os.Environ(), roleKey+"="+roleReceiver)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = child.Wait()
	})
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(addr)
}

// startBackEnd runs what comes after the codec: state, store, upload, deliveries.
func startBackEnd(b *testing.B, hooks string) *App {
	b.Helper()
	a := &App{
		opts:     Options{Config: testConfig(b.TempDir(), hooks), Version: "test"},
		log:      slog.New(slog.NewTextHandler(io.Discard, nil)), //nolint:sloglint // what the log costs belongs to the figure
		registry: prometheus.NewRegistry(), captured: make(chan struct{}), failed: make(chan error, 4),
	}
	b.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			b.Errorf("stop: %v", err)
		}
	})
	for _, part := range []func(context.Context) error{a.makeState, a.makeHTTP, a.makePictures, a.makeNotifier, a.makeUploader} {
		if err := part(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := a.notifier.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	a.uploader.Start()
	a.started = true
	return a
}

// cpuTime returns the user and system time of this process.
func cpuTime(b *testing.B) (user, system time.Duration) {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano())
}

// takeShots records n shots of as many streams, at most 1000, at an even pace and returns when all
// their events are delivered.
func takeShots(b *testing.B, a *App, n int, rate float64, picture []byte) {
	b.Helper()
	delivered := func() int64 {
		counts, err := a.state.CountDeliveries(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		return counts["delivered"]
	}
	want := delivered() + int64(n)
	var group sync.WaitGroup
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for i := range n {
		stream := stillcast.Stream{Domain: "push.example.com", App: "live", Name: fmt.Sprintf("cam%d", i%1000)}
		now := <-tick.C
		group.Go(func() {
			_, err := a.record(b.Context(), capture.Taken{
				Push:     stillcast.Push{ID: "push-" + stream.Name, Domain: stillcast.AnyDomain, Stream: stream},
				Template: stillcast.SnapshotTemplate{Name: "t", Format: stillcast.FormatJPEG, Facts: true}.WithDefaults(),
				Due:      now, Captured: now,
				Picture: capture.Picture{Images: []capture.Image{{Data: picture, Width: 1920, Height: 1080}}},
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for delivered() < want {
		<-poll.C
	}
}

// BenchmarkBackEnd takes a picture of 250 KB from its commit over the folder of
// pictures (with fsync) to an event at a receiver, and says what CPU time that
// takes of the server.
func BenchmarkBackEnd(b *testing.B) {
	picture := make([]byte, 250_000)
	for i := range picture {
		picture[i] = byte(rand.Uint32())
	}
	for _, rate := range []float64{10, 100} {
		b.Run(fmt.Sprintf("%gps", rate), func(b *testing.B) {
			a := startBackEnd(b, startReceiver(b))
			takeShots(b, a, 20, 50, picture) // what is done once is done
			user, system := cpuTime(b)
			b.ReportAllocs()
			b.ResetTimer()
			takeShots(b, a, b.N, rate, picture)
			b.StopTimer()
			userEnd, systemEnd := cpuTime(b)
			perShot := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
			b.ReportMetric(perShot(userEnd-user), "user-ms/shot")
			b.ReportMetric(perShot(systemEnd-system), "sys-ms/shot")
			b.ReportMetric(perShot(userEnd-user+systemEnd-system), "cpu-ms/shot")
		})
	}
}
