package rtmp

import (
	"bytes"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/media"
)

// How much is waited for depends on what is wanted and on how much comes.
func TestLowWater(t *testing.T) {
	tests := []struct {
		name   string
		key    int // bytes of the last key frame
		passed bool
		others bool
		rate   float64
		want   int
	}{
		{"4 Mb/s", 143 << 10, false, false, 520_000, 64 << 10},
		{"800 kb/s", 28 << 10, false, false, 100_000, 12 << 10},
		{"fast, small key frames", 10 << 10, false, false, 520_000, 4 << 10},
		{"fast, small key frames that were passed over", 10 << 10, true, false, 520_000, 96 << 10},
		{"very fast", 4 << 20, false, false, 20_000_000, 128 << 10},
		{"slow", 143 << 10, false, false, 5_000, 1},
		{"tiny key frames", 3000, false, false, 520_000, 1},
		{"no key frame yet", 0, false, false, 520_000, 1},
		{"rate not known", 143 << 10, false, false, 0, 1},
		{"all is wanted", 143 << 10, false, true, 520_000, 1},
	}
	for _, tt := range tests {
		s, _ := pushing(t, newFakePush(), 10)
		s.demand = demand{keySize: tt.key, passed: tt.passed, others: tt.others}
		if got := s.lowWater(tt.rate); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	s := newSession(t.Context(), newTestShared(t, testConfig(), newFakeGate()), testRemote, testRemote)
	s.demand.keySize = 143 << 10
	if got := s.lowWater(520_000); got != 1 {
		t.Errorf("before the push: %d, want none", got)
	}
}

// While a wanted picture comes in, its last byte is waited for and not one more.
func TestLowWaterOfAPicture(t *testing.T) {
	p := newFakePush()
	p.want = func(media.Unit) bool { return true }
	for n := 100; n < 100_000; n += 999 {
		s, picture := pushing(t, p, 100_000)
		if err := s.feed(picture[:n]); err != nil {
			t.Fatal(err)
		}
		s.demand.others = false
		if got, want := s.lowWater(520_000), len(picture)-n; got != want {
			t.Fatalf("after %d of %d bytes: %d, want %d", n, len(picture), got, want)
		}
	}
	p.want = func(media.Unit) bool { return false }
	s, picture := pushing(t, p, 100_000)
	s.demand.keySize = 143 << 10
	if err := s.feed(picture[:500]); err != nil {
		t.Fatal(err)
	}
	if got := s.lowWater(520_000); got != 64<<10 {
		t.Errorf("in a picture that is skipped: %d, want %d", got, 64<<10)
	}
}

func TestDemand(t *testing.T) {
	var d demand
	d.asked(media.Unit{Key: true, Size: 9000}, true)
	d.asked(media.Unit{Size: 100}, false)
	if want := (demand{keySize: 9000}); d != want {
		t.Errorf("%+v, want %+v", d, want)
	}
	d.asked(media.Unit{Size: 100}, true)
	d.asked(media.Unit{Key: true, Size: 8000}, false)
	if want := (demand{keySize: 8000, passed: true, others: true}); d != want {
		t.Errorf("%+v, want %+v", d, want)
	}
}

func TestPaceMeasuresRate(t *testing.T) {
	var p pace
	now := time.Now()
	for range 41 {
		p.add(now, 20_000)
		now = now.Add(50 * time.Millisecond)
	}
	// The first bytes of a window mark its begin.
	if p.rate < 390_000 || p.rate > 430_000 {
		t.Errorf("%v bytes per second, want about 400000", p.rate)
	}
}

// tcpPair returns the two ends of a connection.
func tcpPair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs = dial(t, l.Addr())
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	return ours, theirs
}

// The kernel keeps the mark, and what is there is read after the deadline.
func TestSourceLowWater(t *testing.T) {
	ours, theirs := tcpPair(t)
	s := newSource(ours, &buffers{}).(*socketSource)
	if err := s.lowWater(1000); err != nil {
		t.Fatal(err)
	}
	// A read takes what is there before it waits, so only what comes after that
	// is held back.
	waits, try := make(chan struct{}, 100), s.try
	s.try = func(fd uintptr) bool {
		done := try(fd)
		if !done {
			waits <- struct{}{}
		}
		return done
	}
	read := make(chan int)
	go func() {
		defer close(read)
		for {
			data, err := s.next()
			if err != nil {
				return
			}
			read <- len(data)
			s.done()
		}
	}()
	<-waits
	for range 10 {
		if _, err := theirs.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	if n := <-read; n != 1000 {
		t.Errorf("woken with %d bytes, want 1000", n)
	}
	<-waits
	if _, err := theirs.Write(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := ours.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, ok := <-read; ok {
		t.Fatalf("woken with %d bytes below the mark", n)
	}
	if err := ours.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	data, err := s.next()
	if err != nil || len(data) != 10 {
		t.Errorf("%d bytes, %v; want the 10 that are there", len(data), err)
	}
	s.done()
	theirs.Close() // the end wakes at once
	if _, err := s.next(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("at the end: %v", err)
	}
}

// A stream that falls silent in the middle of a mark gives its pictures all the
// same, and a handshake never waits for more than there is.
func TestPacedPushLosesNothing(t *testing.T) {
	g := newFakeGate()
	g.make = func() *fakePush {
		p := newFakePush()
		p.wanted = make(chan media.Unit, 10)
		return p
	}
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.publish()
	c.setChunkSize(4096)
	c.video(0, avcHeader()...)
	c.video(0, keyFrame(100_000)...)
	p := g.push(t)
	<-p.wanted
	inter := append([]byte{0x27, 1, 0, 0, 0}, bytes.Repeat([]byte{1}, 20_000)...)
	// Over one window, so that the rate is known.
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	at := uint32(0)
	for marked := false; !marked; {
		<-tick.C
		at += 40
		c.video(at, inter...)
		marked = serverMark(t, f) > minLowWater
	}
	c.video(at+40, keyFrame(50)...) // far below the mark
	select {
	case u := <-p.wanted:
		if u.Size != 55 {
			t.Errorf("unit %+v", u)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the last key frame was not seen")
	}
	c.conn.Close()
	p.end(t)
	if n := len(p.taken()); n != 2 {
		t.Errorf("%d pictures, want 2", n)
	}
}

// serverMark returns the mark of the server's one connection.
func serverMark(t *testing.T, f *fixture) int {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		raw, err := c.net.(syscall.Conn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		mark := 0
		if err := raw.Control(func(fd uintptr) {
			mark, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT)
		}); err != nil {
			t.Fatal(err)
		}
		return mark
	}
	t.Fatal("no connection")
	return 0
}
