package publish

import (
	"slices"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
)

// Status codes of RTMP that a publisher looks for (RTMP specification section
// 7.2.2, "NetStream Commands", and ActionScript's NetStatusEvent).
const (
	codePublishStart = "NetStream.Publish.Start"
	codeUnpublish    = "NetStream.Unpublish.Success"
	levelError       = "error"
)

// StatusError is an error that the server reported.
type StatusError struct {
	Command     string // that it answers: connect, createStream or publish; "" when it came by itself
	Code        string // such as NetStream.Publish.Denied; "" when the server gave none
	Description string // for people; may be ""
}

// Error implements error.
func (e *StatusError) Error() string {
	text := "server refused the push"
	switch e.Command {
	case "":
		text = "server ended the push"
	case commandConnect:
		text = "server refused the connection"
	}
	for _, part := range []string{e.Code, e.Description} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// status is the information object of _result, _error and onStatus.
type status struct {
	level, code, description string
}

// statusOf finds the information object among a command's arguments: it is the
// last one.
func statusOf(args []any) status {
	for _, arg := range slices.Backward(args) {
		switch object := arg.(type) {
		case amf0.Object:
			return readStatus(object.Get)
		case amf0.Array:
			return readStatus(object.Get)
		}
	}
	return status{}
}

func readStatus(get func(string) (any, bool)) status {
	text := func(name string) string {
		v, _ := get(name)
		s, _ := v.(string)
		return s
	}
	return status{level: text("level"), code: text("code"), description: text("description")}
}

// asError makes the error of the answer to command.
func (s status) asError(command string) *StatusError {
	return &StatusError{Command: command, Code: s.code, Description: s.description}
}
