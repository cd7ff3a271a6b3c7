// Command gortmplib takes RTMP pushes with gortmplib and throws away what it
// reads: gortmplib HOST:PORT.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"
)

// Read deadlines, in the size of those in gortmplib's example.
const (
	startTimeout = 10 * time.Second
	readTimeout  = 10 * time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gortmplib:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("expected one argument: the address to listen on")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", args[0])
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			if err := serve(c); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, c.RemoteAddr(), err)
			}
		}()
	}
}

// serve reads one push to its end.
func serve(c net.Conn) error {
	if err := c.SetReadDeadline(time.Now().Add(startTimeout)); err != nil {
		return err
	}
	sc := &gortmplib.ServerConn{RW: c}
	if err := sc.Initialize(); err != nil {
		return err
	}
	if err := sc.Accept(); err != nil {
		return err
	}
	// A push that sends nothing for longer than Initialize waits is idle.
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	r := &gortmplib.Reader{Conn: sc}
	if err := r.Initialize(); err != nil {
		return err
	}
	for _, t := range r.Tracks() {
		switch t.Codec.(type) {
		case *codecs.H264:
			r.OnDataH264(t, func(time.Duration, time.Duration, [][]byte) {})
		case *codecs.MPEG4Audio:
			r.OnDataMPEG4Audio(t, func(time.Duration, []byte) {})
		default:
			return fmt.Errorf("a track of %T was not expected", t.Codec)
		}
	}
	for {
		if err := c.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
			return err
		}
		if err := r.Read(); err != nil {
			return err
		}
	}
}
