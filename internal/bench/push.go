package bench

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/media/flv"
)

// App is the app of the pushes of a measurement.
const benchApp = "bench"

// pushedFor is how long the URLs of pushes are valid.
const pushedFor = 24 * time.Hour

// sender sends the messages of one push.
type sender interface {
	Write(t flv.Tag) error
	Close() error
}

// fleet pushes a clip as many streams.
type fleet struct {
	order order
	clip  *clip         // nil when nothing is pushed
	begun atomic.Int64  // pushes that have
	all   chan struct{} // closed when all have
	late  atomic.Int64  // nanoseconds
	sent  atomic.Int64  // bytes

	mu    sync.Mutex
	lost  int    // pushes that had begun and ended by themselves
	cause string // of the first of them
}

// push pushes until ctx ends.
func push(ctx context.Context, o order, tell func(report) error) error {
	f := &fleet{order: o, all: make(chan struct{})}
	if !o.Idle {
		var err error
		if f.clip, err = readClip(o.Clip); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range o.Streams {
		wg.Go(func() {
			if err := f.stream(ctx, i); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("stream %d of %d: %w", o.First+i+1, o.First+o.Streams, err))
			}
		})
	}
	select {
	case <-f.all:
		f.late.Store(0) // what was late while others began does not count
		if err := f.tick(ctx, tell); err != nil {
			cancel(err)
		}
	case <-ctx.Done():
	}
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return tell(f.report())
}

// report tells how it stands.
func (f *fleet) report() report {
	f.mu.Lock()
	defer f.mu.Unlock()
	late := time.Duration(f.late.Swap(0))
	return report{Ready: true, Late: late, Sent: f.sent.Load(), At: time.Now(), Lost: f.lost, Cause: f.cause}
}

// tick reports that all have begun, and goes on to report if it is told to.
func (f *fleet) tick(ctx context.Context, tell func(report) error) error {
	if f.order.Tick == 0 {
		return tell(report{Ready: true})
	}
	ticker := time.NewTicker(f.order.Tick)
	defer ticker.Stop()
	for {
		if err := tell(f.report()); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// lose counts a stream that has ended by itself, if the others go on.
func (f *fleet) lose(index int, err error) bool {
	if f.order.Tick == 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost++; f.lost == 1 {
		f.cause = fmt.Sprintf("stream %d: %s", f.order.First+index+1, err)
	}
	return true
}

// stream pushes the stream with that index, which begins at its share of the ramp.
func (f *fleet) stream(ctx context.Context, index int) error {
	timer := time.NewTimer(f.order.Ramp * time.Duration(index) / time.Duration(f.order.Streams))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil
	}
	s, err := f.dial(ctx, f.order.First+index)
	if err != nil {
		return err
	}
	if int(f.begun.Add(1)) == f.order.Streams {
		close(f.all)
	}
	if f.order.Idle {
		err = stay(ctx, s)
	} else {
		err = f.play(ctx, s, timer, f.clip.keys[index%len(f.clip.keys)])
	}
	closeErr := s.Close()
	switch {
	case ctx.Err() != nil: // the server may be gone already
		return nil
	case err != nil && f.lose(index, err):
		return nil
	}
	return errors.Join(err, closeErr)
}

// stay pushes nothing until ctx or the push ends.
func stay(ctx context.Context, s sender) error {
	c, ok := s.(*publish.Client)
	if !ok {
		return errors.New("only a push over RTMP can be idle")
	}
	select {
	case <-c.Done():
		return c.Err()
	case <-ctx.Done():
		return nil
	}
}

func (f *fleet) dial(ctx context.Context, index int) (sender, error) {
	size := cmp.Or(f.order.ChunkSize, publish.DefaultChunkSize)
	var conn *pieces
	connect := func(ctx context.Context, network, address string) (net.Conn, error) {
		var err error
		conn, err = f.connect(ctx, network, address, index)
		return conn, err
	}
	var s sender
	var err error
	if f.order.PushKey == "" {
		s, err = dialBare(ctx, f.order.Address, size, connect)
	} else {
		name := fmt.Sprintf("stream-%d", index+1)
		param := stillcast.PushParam(stillcast.Secret(f.order.PushKey), name, time.Now().Add(pushedFor))
		s, err = publish.Dial(ctx, "rtmp://"+f.order.Address+"/"+benchApp+"/"+name+"?"+param, publish.Options{
			ChunkSize: size, Timeout: patience, Dial: connect,
		})
	}
	if err == nil && f.order.Pieces {
		err = conn.split(size)
	}
	return s, err
}

// play sends the clip over and over, in real time, from the frame first on.
func (f *fleet) play(ctx context.Context, s sender, timer *time.Timer, first int) error {
	for _, t := range f.clip.head {
		if err := f.send(s, t, 0); err != nil {
			return err
		}
	}
	begun := time.Now()
	shift := -f.clip.frames[first].at // between the clip's time and the push's
	for ; ; first, shift = 0, shift+f.clip.length {
		for _, t := range f.clip.frames[first:] {
			if err := wait(ctx, timer, begun.Add(t.at+shift)); err != nil {
				return err
			}
			late := time.Since(begun) - t.at - shift
			if err := f.send(s, t, shift); err != nil {
				return err
			}
			raise(&f.late, int64(late))
		}
	}
}

// raise makes most at least n.
func raise(most *atomic.Int64, n int64) {
	for before := most.Load(); n > before && !most.CompareAndSwap(before, n); {
		before = most.Load()
	}
}

func (f *fleet) send(s sender, t tag, shift time.Duration) error {
	f.sent.Add(int64(len(t.data)))
	ms := max(0, t.at+shift).Milliseconds()
	return s.Write(flv.Tag{Type: t.kind, Timestamp: uint32(ms), Data: t.data}) //nolint:gosec // runs are shorter than 49 days
}

// wait waits for a time, by a timer that nobody waits for.
func wait(ctx context.Context, timer *time.Timer, until time.Time) error {
	left := time.Until(until)
	if left <= 0 {
		return ctx.Err()
	}
	timer.Reset(left)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bare sends the messages of a push over a connection that nothing was agreed on:
// the same bytes, without handshake, commands and answers.
type bare struct {
	net.Conn
	out *chunk.Writer
}

type connect func(ctx context.Context, network, address string) (net.Conn, error)

func dialBare(ctx context.Context, address string, chunkSize int, connect connect) (*bare, error) {
	conn, err := connect(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	b := &bare{Conn: conn, out: chunk.NewWriter(conn)}
	size := binary.BigEndian.AppendUint32(nil, uint32(chunkSize)) //nolint:gosec // at most publish.MaxChunkSize
	if err := b.out.Write(chunk.Message{ChunkStream: chunk.MinStream, Type: chunk.TypeSetChunkSize, Payload: size}); err != nil {
		conn.Close()
		return nil, err
	}
	b.out.SetChunkSize(chunkSize)
	return b, nil
}

// Write sends one message as [publish.Client] does.
func (b *bare) Write(t flv.Tag) error {
	streams := map[flv.TagType]uint32{flv.Audio: 4, flv.Script: 5, flv.Video: 6}
	return b.out.Write(chunk.Message{
		ChunkStream: streams[t.Type], Type: uint8(t.Type), StreamID: 1, Timestamp: t.Timestamp, Payload: t.Data,
	})
}
