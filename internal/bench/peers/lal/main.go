// Command lal takes RTMP pushes with lal and throws away what it reads: lal
// HOST:PORT.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/q191201771/lal/pkg/base"
	"github.com/q191201771/lal/pkg/rtmp"
	"github.com/q191201771/naza/pkg/nazalog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lal:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("expected one argument: the address to listen on")
	}
	if err := nazalog.Init(func(o *nazalog.Option) { o.Level = nazalog.LevelError }); err != nil {
		return err
	}
	s := rtmp.NewServer(args[0], observer{})
	if err := s.Listen(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- s.RunLoop() }()
	select {
	case <-signals:
		return nil
	case err := <-ended:
		return err
	}
}

// observer takes every push and nothing else.
type observer struct{}

func (observer) OnRtmpConnect(*rtmp.ServerSession, rtmp.ObjectPairArray) {}

func (o observer) OnNewRtmpPubSession(s *rtmp.ServerSession) error {
	s.SetPubSessionObserver(o)
	return nil
}

func (observer) OnDelRtmpPubSession(*rtmp.ServerSession) {}

func (observer) OnNewRtmpSubSession(*rtmp.ServerSession) error {
	return errors.New("nothing can be played")
}

func (observer) OnDelRtmpSubSession(*rtmp.ServerSession) {}

// OnReadRtmpAvMsg takes a message, whose memory lal uses again.
func (observer) OnReadRtmpAvMsg(base.RtmpMsg) {}
