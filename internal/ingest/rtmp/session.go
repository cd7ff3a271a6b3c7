package rtmp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// gate decides about pushes.
type gate interface {
	// Admit returns the push that begins, or an error, usually a
	// *stillcast.Error, with the reason why it may not.
	Admit(ctx context.Context, req ingest.Request) (ingest.Push, error)
	// Codecs returns the codecs that pictures can be made of. Publishers are told.
	Codecs() []media.Codec
}

// shared is what all connections of a server have in common.
type shared struct {
	cfg      Config
	gate     gate
	log      *slog.Logger
	metrics  *metrics
	pool     chunk.Pool
	video    *chunk.Budget
	commands *chunk.Budget
}

// session is the protocol's state of one connection. Bytes go in by feed, what
// is to be sent back gathers in out. It is not safe for concurrent use.
type session struct {
	*shared
	ctx           context.Context // of the connection: a session lives as long as it does
	log           *slog.Logger
	remote, local netip.AddrPort

	handshake *handshake // nil once it is done
	reader    *chunk.Reader
	out       bytes.Buffer
	writer    *chunk.Writer // to out

	refusal            *closing // set before: a connect command is answered with it
	connected          bool
	app, tcURL, client string // of the connect command

	push   ingest.Push // nil before publish and after the end
	url    ingest.PushURL
	stream uint32 // message stream id of the publish command
	config *media.Config
	demand demand
	clock  media.Unroller

	track     uint8 // number of the video track that is captured
	tracked   bool  // it is known
	undecided undecided

	received, acknowledged uint64 // bytes
	window                 uint32 // bytes between acknowledgements; 0 for none
	counts                 counts
}

func newSession(ctx context.Context, sh *shared, remote, local netip.AddrPort) *session {
	s := &session{shared: sh, ctx: ctx, local: local, handshake: &handshake{}}
	s.setRemote(remote)
	s.reader = chunk.NewReader(sh.cfg.Limits, &sh.pool, s)
	s.writer = chunk.NewWriter(&s.out)
	return s
}

// setRemote sets the publisher's address; a publisher on a unix socket has none.
func (s *session) setRemote(remote netip.AddrPort) {
	name := "unix"
	if remote.IsValid() {
		name = remote.String()
	}
	s.remote, s.log = remote, s.shared.log.With(slog.String("remote", name))
}

// step is how far a connection has got.
type step uint8

const (
	stepHandshake step = iota
	stepConnect
	stepPublish
	stepPush
)

func (s *session) step() step {
	switch {
	case s.push != nil:
		return stepPush
	case s.handshake != nil:
		return stepHandshake
	case !s.connected:
		return stepConnect
	}
	return stepPublish
}

// feed takes the next bytes of the publisher. An error ends the connection; see
// closingOf.
func (s *session) feed(data []byte) error {
	s.received += uint64(len(data))
	if s.handshake != nil {
		rest, done, err := s.handshake.feed(data, &s.out)
		if err != nil || !done {
			return err
		}
		s.handshake, data = nil, rest
	}
	if err := s.reader.Feed(data); err != nil {
		return err
	}
	return s.acknowledge()
}

// finish ends the session: it tells the publisher, gives all memory back, and
// ends the push if there is one.
func (s *session) finish(c *closing) {
	if c.status != "" && s.connected {
		if err := s.sendStatus(s.stream, c.status, c.end.Message); err != nil {
			s.log.Error("status not encoded", slog.Any("error", err))
		}
	}
	s.reader.Close()
	if s.push == nil {
		return
	}
	push, end := s.push, c.end
	s.push = nil // before the call: it must not happen again, whatever becomes of it
	if end.At.IsZero() {
		end.At = time.Now()
	}
	if s.config != nil && end.Width == 0 {
		end.Width, end.Height = s.config.Width, s.config.Height
	}
	push.End(end)
}

// Begin implements the chunk reader's handler.
func (s *session) Begin(h chunk.Header, head []byte) (*chunk.Budget, error) {
	budget, err := s.begin(h, head)
	if budget == nil {
		s.counts.skipped++
	}
	return budget, err
}

func (s *session) begin(h chunk.Header, head []byte) (*chunk.Budget, error) {
	switch h.Type {
	case chunk.TypeVideo:
		return s.beginVideo(h, head)
	case chunk.TypeCommandAMF0, chunk.TypeCommandAMF3:
		return s.commands, nil
	case chunk.TypeUserControl:
		return nil, s.pong(head)
	case chunk.TypeWindowAckSize:
		if len(head) >= 4 {
			s.window = binary.BigEndian.Uint32(head)
		}
	}
	// Audio, metadata and what nobody knows: sizes and codecs are taken from the
	// video itself.
	return nil, nil
}

// Complete implements the chunk reader's handler.
func (s *session) Complete(h chunk.Header, payload []byte) error {
	s.counts.kept++
	if h.Type == chunk.TypeVideo {
		return s.completeVideo(h, payload)
	}
	err := s.command(h, payload)
	s.pool.Put(payload) // decoded values share no memory with it
	return err
}

// Shed implements the chunk reader's handler: a picture may be lost, a command
// may not.
func (s *session) Shed(h chunk.Header, err error) error {
	if h.Type != chunk.TypeVideo {
		return err
	}
	s.counts.shed++
	s.log.Debug("picture dropped", slog.Any("error", err))
	return nil
}

// closedByPeer is the closing for a connection that ended without a word.
func (s *session) closedByPeer(err error) *closing {
	message := "the connection was closed without a stop command"
	if err != nil {
		message = "the connection broke: " + cause(err).Error()
	}
	return closeWith(reasonNetwork, stillcast.EndNetwork, message)
}

// cause returns the innermost error: the rest names our own addresses.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
