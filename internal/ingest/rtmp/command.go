package rtmp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// maxText bounds the texts of connect and publish commands in bytes: the parts
// of a push URL have at most 255, and its query rarely more.
const maxText = 4096

// maxClient is how many bytes of a publisher's name for itself are logged.
const maxClient = 100

// command is a command message (RTMP specification section 7.2).
type command struct {
	name        string
	transaction float64
	arguments   []any // after the command object
	object      any   // the command object
	stream      uint32
}

// parseCommand reads a command as far as it is readable. ok is false when there
// is no name; an error says that a limit is exceeded.
func parseCommand(h chunk.Header, payload []byte, lim amf0.Limits) (c command, ok bool, err error) {
	// AMF3 commands are AMF0 after a byte 0 (section 7.1.1).
	if h.Type == chunk.TypeCommandAMF3 && len(payload) > 0 && payload[0] == 0 {
		payload = payload[1:]
	}
	values, err := amf0.Decode(payload, lim)
	if err != nil && isLimit(err) {
		return command{}, false, fmt.Errorf("read RTMP command: %w", err)
	}
	if len(values) == 0 {
		return command{}, false, nil
	}
	c.stream = h.StreamID
	if c.name, ok = values[0].(string); !ok {
		return command{}, false, nil
	}
	if len(values) > 1 {
		c.transaction, _ = values[1].(float64)
	}
	if len(values) > 2 {
		c.object, c.arguments = values[2], values[3:]
	}
	return c, true, nil
}

// text returns an argument, "" when it is missing or no string.
func (c command) text(i int) string {
	if i >= len(c.arguments) {
		return ""
	}
	s, _ := c.arguments[i].(string)
	return s
}

// property returns a text of the command object.
func (c command) property(name string) string {
	object, _ := c.object.(amf0.Object)
	value, _ := object.Get(name)
	s, _ := value.(string)
	return s
}

// command obeys a command message.
func (s *session) command(h chunk.Header, payload []byte) error {
	c, ok, err := parseCommand(h, payload, s.cfg.AMF)
	if err != nil || !ok {
		return err
	}
	switch c.name {
	case "connect":
		return s.connect(c)
	case "releaseStream", "FCPublish":
		// GStreamer sends transaction 0: it wants no answer.
		if c.transaction != 0 {
			return s.send(0, "_result", c.transaction, nil, nil)
		}
	case "createStream":
		return s.send(0, "_result", c.transaction, nil, createdStream)
	case "publish":
		return s.publish(c)
	case "FCUnpublish", "deleteStream", "closeStream":
		return s.unpublish(c.name)
	case "play", "play2":
		s.stream = c.stream
		return closeWith(reasonPlay, stillcast.EndRefused, "Stillcast only takes pushes").telling(statusPlayFailed)
	}
	return nil
}

// connect answers the first command, which carries most of the push URL.
func (s *session) connect(c command) error {
	if s.connected {
		return closeWith(reasonProtocol, stillcast.EndRefused, "second connect command on one connection").telling(statusPublishFailed)
	}
	s.app, s.tcURL, s.client = c.property("app"), c.property("tcUrl"), c.property("flashVer")
	for _, t := range []struct{ name, value string }{{"app", s.app}, {"tcUrl", s.tcURL}, {"flashVer", s.client}} {
		if len(t.value) > maxText {
			return closeWith(reasonLimit, stillcast.EndRefused,
				fmt.Sprintf("%s of the connect command has %d bytes; at most %d are allowed", t.name, len(t.value), maxText))
		}
	}
	s.client = strings.ToValidUTF8(s.client[:min(len(s.client), maxClient)], "")
	s.connected = true
	if s.refusal != nil {
		return s.reject(c.transaction, s.refusal)
	}
	s.enhanced(c)
	return s.welcome(c.transaction)
}

// enhanced notes what the publisher says of Enhanced RTMP. It tells what it knows,
// not what it will send, so nothing is decided by it.
func (s *session) enhanced(c command) {
	object, _ := c.object.(amf0.Object)
	list, _ := object.Get("fourCcList")
	video, _ := object.Get("videoFourCcInfoMap")
	caps, _ := object.Get("capsEx")
	if list == nil && video == nil && caps == nil {
		return
	}
	s.log.Debug("publisher knows Enhanced RTMP", slog.String("client", s.client), slog.String("codecs", fourCCs(list, video)), slog.Any("caps", caps))
}

// fourCCs lists codes for people, at most a line of them.
func fourCCs(list, infos any) string {
	var codes []string
	values, _ := list.([]any)
	for _, v := range values {
		code, _ := v.(string)
		codes = append(codes, code)
	}
	object, _ := infos.(amf0.Object)
	for _, p := range object {
		codes = append(codes, p.Name)
	}
	text := strings.ToValidUTF8(strings.Join(codes, " "), "")
	return text[:min(len(text), maxClient)]
}

// publish asks the gate whether the push may begin, and tells the publisher.
func (s *session) publish(c command) error {
	switch {
	case !s.connected:
		return closeWith(reasonProtocol, stillcast.EndRefused, "publish before connect")
	case s.push != nil:
		return s.sendStatus(c.stream, statusBadName, "this connection already pushes a stream")
	}
	s.stream = c.stream
	u, err := s.pushURL(c.text(0))
	if err != nil {
		// The gate, which logs and counts what it refuses, never sees this one.
		s.log.Warn("push refused: its URL cannot be read", slog.Any("error", err), slog.String("client", s.client))
		return s.refused("", err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.PublishTimeout)
	defer cancel()
	push, err := s.gate.Admit(ctx, ingest.Request{URL: u, Remote: s.remote, Local: s.local})
	if err != nil {
		return s.refused(u.Stream.String(), err)
	}
	s.push, s.url = push, u
	s.log = s.log.With(slog.String("stream", u.Stream.String()))
	s.log.Debug("push accepted", slog.String("client", s.client))
	return s.sendStatus(c.stream, statusPublishStart, "push of "+u.Stream.String()+" accepted")
}

func (s *session) pushURL(name string) (ingest.PushURL, error) {
	if len(name) > maxText {
		return ingest.PushURL{}, stillcast.Errorf(stillcast.CodeInvalid, "stream name",
			"has %d bytes with its query; at most %d are allowed", len(name), maxText)
	}
	return ingest.ParsePushURL(s.tcURL, s.app, name)
}

// refused turns the gate's error into what the publisher is told. Of errors
// that are not made for people it is told nothing.
func (s *session) refused(stream string, err error) error {
	status, message := statusPublishFailed, err.Error()
	switch stillcast.CodeOf(err) {
	case stillcast.CodeDenied:
		status = statusDenied
	case stillcast.CodeConflict, stillcast.CodeInvalid, stillcast.CodeNotFound:
		status = statusBadName
	case stillcast.CodeLimit:
	default:
		message = "internal error; the push was not accepted"
		if errors.Is(err, context.DeadlineExceeded) {
			message = "the push could not be checked in time"
		}
	}
	// The log gets the stream and the reason, never the query: it holds a secret.
	s.log.Debug("push refused", slog.String("stream", stream), slog.Any("error", err), slog.String("client", s.client))
	why := closeWith(reasonDenied, stillcast.EndRefused, message).telling(status)
	if refusal, ok := errors.AsType[*ingest.Refusal](err); ok {
		why.delay = refusal.Delay
	}
	return why
}

// unpublish ends the push when the publisher says so.
func (s *session) unpublish(name string) error {
	if s.push == nil {
		return nil
	}
	return closeWith(reasonClient, stillcast.EndClient, "the publisher stopped the push ("+name+")").telling(statusUnpublish)
}
