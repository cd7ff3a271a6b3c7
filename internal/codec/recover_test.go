package codec

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/testkit"
)

// slow is a request that takes some hundred milliseconds to decode.
func slow(t testing.TB) Request {
	t.Helper()
	r := request(codectest.Make(t, "testsrc2=size=4096x2304,noise=alls=40:allf=t,format=yuv420p", 1, "-preset", "ultrafast", "-coder", "1", "-qp", "20"))
	if n := len(r.Units[0]); n < 4<<20 || n > DefaultConfig().MaxUnitBytes {
		t.Fatalf("the slow key frame has %d bytes", n)
	}
	return r
}

func TestWorkerKilledWhileDecoding(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(1), "real")
	first, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	r := slow(t)
	before := cpuTicks(t, first.Worker)
	type shot struct {
		made *Result
		err  error
	}
	done := make(chan shot, 1)
	go func() {
		made, err := p.Shoot(t.Context(), r)
		done <- shot{made, err}
	}()
	waitWorking(t, first.Worker, before)
	if err := syscall.Kill(first.Worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	if got.made.Worker == first.Worker {
		t.Error("the shot was there before the worker was killed")
	}
	testkit.DecodeJPEG(t, got.made.Pictures[0].Data)
	if n := restarts(p, reasonDied); n != 1 {
		t.Errorf("%d dead workers are counted, wanted 1", n)
	}
	if !gone(first.Worker) {
		t.Error("nobody waited for the dead worker")
	}
}

func TestIdleWorkerThatDiesIsReplaced(t *testing.T) {
	t.Parallel()
	p := newPool(t, testConfig(1), "real")
	log := make(logged, 16)
	p.log = slog.New(log)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(first.Worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	log.wait(t, "codec worker died")
	second, err := p.Shoot(t.Context(), small(t))
	if err != nil || second.Worker == first.Worker {
		t.Errorf("afterwards: %v, %+v", err, second)
	}
}

// A machine may lose what a worker needs while the program runs. Shots wait; nothing spins.
func TestWorkersThatDoNotStartAnyMore(t *testing.T) {
	t.Parallel()
	p := newPool(t, testConfig(1), turns(t, "real", "broken"))
	log := make(logged, 16)
	p.log = slog.New(log)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	made, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(made.Worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 3 {
		log.wait(t, "codec worker did not start")
	}
	if pause := time.Since(began); pause < 3*minBackoff {
		t.Errorf("three starts took %s, wanted pauses of %s and %s between them", pause, minBackoff, 2*minBackoff)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Shoot(ctx, small(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shot without a worker: error is %v, wanted %v", err, context.DeadlineExceeded)
	}
	if n := restarts(p, reasonStart); n < 3 {
		t.Errorf("%d failed starts are counted, wanted at least 3", n)
	}
}

func TestWorkersThatMisbehave(t *testing.T) {
	t.Parallel()
	cases := []struct {
		mode   string
		want   error
		text   string
		reason string
		result string
	}{
		{"hang", ErrTimeout, "more than 300ms", reasonTimeout, "timeout"},
		{"die", ErrWorkerDied, "double free or corruption", reasonDied, "worker_died"},
		{"nonsense", ErrWorkerDied, "nonsense", reasonProtocol, "worker_died"},
		{"huge", ErrWorkerDied, "nonsense", reasonProtocol, "worker_died"},
		{"lie", ErrWorkerDied, "its source gives 64x48", reasonProtocol, "worker_died"},
	}
	for _, c := range cases {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			config := testConfig(2)
			if c.mode == "hang" {
				config.Timeout = 300 * time.Millisecond
			}
			p := startPool(t, config, c.mode)
			if _, err := p.Shoot(t.Context(), small(t)); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error is %v, wanted %v with %q", err, c.want, c.text)
			}
			if n := results(p, c.result); n != 1 {
				t.Errorf("counted %d times as %s, wanted once", n, c.result)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if n := restarts(p, c.reason); n != 2 {
				t.Errorf("%d workers are counted as replaced for %s, wanted one for each try", n, c.reason)
			}
		})
	}
}

func TestSecondTrySucceeds(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"hang", "die", "nonsense"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			config := testConfig(1)
			config.Timeout = 2 * time.Second
			p := startPool(t, config, turns(t, mode, "real"))
			made, err := p.Shoot(t.Context(), small(t))
			if err != nil {
				t.Fatal(err)
			}
			testkit.DecodeJPEG(t, made.Pictures[0].Data)
			if n := results(p, "picture"); n != 1 {
				t.Errorf("%d pictures are counted, wanted 1", n)
			}
		})
	}
}

func TestCallersThatGiveUp(t *testing.T) {
	t.Parallel()
	config := testConfig(1)
	p := startPool(t, config, turns(t, "hang", "real"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Shoot(ctx, small(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a worker that hangs: error is %v, wanted %v", err, context.DeadlineExceeded)
	}
	waiting, stop := context.WithCancelCause(t.Context())
	reason := errors.New("the push ended")
	stop(reason)
	if _, err := p.Shoot(waiting, small(t)); !errors.Is(err, reason) {
		t.Errorf("without an idle worker: error is %v, wanted %v", err, reason)
	}
	if n := results(p, "canceled"); n < 1 {
		t.Errorf("%d shots are counted as canceled", n)
	}
}

func TestWorkersAreRecycled(t *testing.T) {
	t.Parallel()
	config := testConfig(1)
	config.MaxShots = 2
	p := startPool(t, config, "real")
	workers := map[int]int{}
	for range 6 {
		made, err := p.Shoot(t.Context(), small(t))
		if err != nil {
			t.Fatal(err)
		}
		workers[made.Worker]++
	}
	for pid, shots := range workers {
		if shots != 2 {
			t.Errorf("worker %d made %d shots, wanted 2", pid, shots)
		}
	}
	if n := restarts(p, reasonDied); n != 0 {
		t.Errorf("%d workers are counted as dead", n)
	}
}

func TestManyShotsAtOnce(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(2), "real")
	r := request(codectest.Make(t, "testsrc2=size=320x180", 1))
	var shots sync.WaitGroup
	for i := range 40 {
		shots.Go(func() {
			own := r.sized(100+i, 0)
			made, err := p.Shoot(t.Context(), own)
			if err != nil || made.Pictures[0].Width != 100+i {
				t.Errorf("shot %d: %v, %+v", i, err, made)
			}
		})
	}
	shots.Wait()
	if n := results(p, "picture"); n != 40 {
		t.Errorf("%d pictures are counted, wanted 40", n)
	}
}

// A Ctrl-C goes to the workers too, but the parent finishes its shots first.
func TestWorkersIgnoreTheSignalsOfTheTerminal(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(1), "real")
	first, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(first.Worker, s); err != nil {
			t.Fatal(err)
		}
		made, err := p.Shoot(t.Context(), small(t))
		if err != nil || made.Worker != first.Worker {
			t.Errorf("after %s: %v, %+v, wanted worker %d", s, err, made, first.Worker)
		}
	}
}

// However the parent ends, its ends of socket and pipe are closed; that must end the worker even in the middle of a shot.
func TestWorkerEndsWithItsParent(t *testing.T) {
	t.Parallel()
	program := Program{Path: testBinary(t), Env: []string{workerEnv + "=real"}}
	l := limits{pixels: 4096 * 2304, unitBytes: 8 << 20}
	for _, busy := range []bool{false, true} {
		c, err := startChild(t.Context(), program, l, addressSanitizer)
		if err != nil {
			t.Fatal(err)
		}
		if busy {
			r := slow(t)
			before := cpuTicks(t, c.pid())
			message := r.buffers()
			if _, err := message.WriteTo(c.conn); err != nil {
				t.Fatal(err)
			}
			waitWorking(t, c.pid(), before)
		}
		c.hangUp()
		<-c.exited
		if !c.cmd.ProcessState.Success() || c.stderr.String() != "" {
			t.Errorf("busy %t: worker ended with %s", busy, c.end())
		}
	}
}

func TestWorkerNeedsAPool(t *testing.T) {
	t.Parallel()
	c := &words{}
	command := testCommand(t, workerEnv+"=real")
	command.Stderr = c
	if err := command.Run(); err == nil || !strings.Contains(c.String(), "started by Stillcast itself") {
		t.Errorf("without a pool the worker says %q, %v", c, err)
	}
}
