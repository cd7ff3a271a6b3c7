package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast/internal/codec/av"
)

// Of the bare receiver.
const (
	// lowWater is how many bytes a connection collects in the kernel before its
	// reader is woken (SO_RCVLOWAT, socket(7)): few wake-ups are what makes receiving cheap.
	lowWater   = 128 << 10
	bufferSize = 256 << 10 // of a read; buffers are shared
)

// receive takes connections and throws away what comes, as cheaply as it can,
// until ctx ends. A connection collects mark bytes before it is read.
func receive(ctx context.Context, mark int, tell func(report) error) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	if err := tell(report{Ready: true, Address: listener.Addr().String()}); err != nil {
		listener.Close()
		return err
	}
	buffers := &sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			err = broken(ctx, err)
			cancel(err) // or the connections would be waited for
			return err
		}
		wg.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			if err := discard(conn, mark, buffers); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
}

// broken is why no connection could be accepted; nil when ctx ended.
func broken(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return fmt.Errorf("accept a connection: %w", err)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// discard reads a connection to its end.
func discard(conn net.Conn, mark int, buffers *sync.Pool) error {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return fmt.Errorf("a connection of type %T has no socket", conn)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return fmt.Errorf("get the socket of a connection: %w", err)
	}
	var lowErr error
	err = raw.Control(func(fd uintptr) {
		lowErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, mark) //nolint:gosec // a file descriptor
	})
	if err = errors.Join(err, lowErr); err != nil {
		return fmt.Errorf("set SO_RCVLOWAT: %w", err)
	}
	for {
		n := 0
		var readErr error
		err := raw.Read(func(fd uintptr) bool {
			buf, ok := buffers.Get().(*[]byte)
			if !ok {
				readErr = io.ErrShortBuffer // not reached: the pool makes them
				return true
			}
			n, readErr = syscall.Read(int(fd), *buf) //nolint:gosec // a file descriptor
			buffers.Put(buf)
			return !errors.Is(readErr, syscall.EAGAIN)
		})
		if err = errors.Join(err, readErr); err != nil && !errors.Is(err, syscall.EINTR) || err == nil && n == 0 {
			return err
		}
	}
}

// decode decodes the key frames of a clip in turn, and nothing else.
func decode(ctx context.Context, o order, tell func(report) error) error {
	c, err := readClip(o.Clip)
	if err != nil {
		return err
	}
	av.Setup()
	if o.Every > 0 {
		return c.decodeAtPace(ctx, o, tell)
	}
	return c.decodeLoop(ctx, o, tell)
}

// decodeAtPace decodes one key frame each time, until ctx ends.
func (c *clip) decodeAtPace(ctx context.Context, o order, tell func(report) error) error {
	r := report{Ready: true}
	if err := tell(r); err != nil {
		return err
	}
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return tell(r)
		}
		if _, _, err := c.decodeKey(c.keys[r.Decodes%len(c.keys)]); err != nil {
			return err
		}
		r.Decodes++
	}
}

// decodeLoop decodes without a pause and measures that.
func (c *clip) decodeLoop(ctx context.Context, o order, tell func(report) error) (err error) {
	r := report{Ready: true}
	// The first round only warms up: memory, caches, the clock of the CPU.
	for round := 0; round == 0 || r.Decodes < o.Decodes; round++ {
		begin, err := ownCPUTime()
		if err != nil {
			return err
		}
		for _, key := range c.keys {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if r.Width, r.Height, err = c.decodeKey(key); err != nil {
				return err
			}
		}
		end, err := ownCPUTime()
		if err != nil {
			return err
		}
		if round > 0 {
			r.Decodes, r.CPU = r.Decodes+len(c.keys), r.CPU+end-begin
		}
	}
	return tell(r)
}

// decodeKey decodes one key frame and returns the size of the picture.
func (c *clip) decodeKey(key int) (width, height int, err error) {
	const maxPixels = 16384 * 16384
	data, _ := c.payload(key)
	frame, err := av.Decode(av.Input{Codec: c.codec, Record: c.record, Units: [][]byte{data}}, maxPixels)
	if err != nil {
		return 0, 0, fmt.Errorf("decode the key frame at %s: %w", c.frames[key].at.Round(time.Millisecond), err)
	}
	defer frame.Close()
	return frame.Width(), frame.Height(), nil
}
