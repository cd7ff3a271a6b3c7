package stillcast

import (
	"net/netip"
	"time"
	"unicode/utf8"
)

// Stream names one live stream by the three parts of its push URL
// rtmp://DOMAIN/APP/NAME?params. In events: app, appname and stream_id.
type Stream struct {
	Domain string // push domain, as the publisher sent it, without port
	App    string
	Name   string
}

// String returns "domain/app/name".
func (s Stream) String() string { return s.Domain + "/" + s.App + "/" + s.Name }

// MaxNamePart is the longest push domain, app or stream name, in bytes.
const MaxNamePart = 255

// Validate reports the first part that is empty, too long or not printable.
func (s Stream) Validate() error {
	parts := []struct{ field, value string }{
		{"push domain", s.Domain}, {"app", s.App}, {"stream name", s.Name},
	}
	for _, p := range parts {
		if err := validateNamePart(p.field, p.value); err != nil {
			return err
		}
	}
	return nil
}

func validateNamePart(field, value string) error {
	switch {
	case value == "":
		return Errorf(CodeInvalid, field, "is empty; a push URL is rtmp://DOMAIN/APP/STREAM?txSecret=…&txTime=…")
	case len(value) > MaxNamePart:
		return Errorf(CodeInvalid, field, "is %d bytes long; at most %d are allowed", len(value), MaxNamePart)
	case !utf8.ValidString(value):
		return Errorf(CodeInvalid, field, "is not valid UTF-8")
	}
	for _, r := range value {
		if r < 0x20 || r == 0x7f {
			return Errorf(CodeInvalid, field, "holds the control character %U", r)
		}
	}
	return nil
}

// Push is one publishing of a stream, from the accepted publish command to its
// end.
type Push struct {
	ID      string // unique, never reused; also the "sequence" of events 1 and 0
	Stream  Stream
	Domain  string // name of the registered [Domain] that took it: Stream.Domain or "*"
	Param   string // everything after "?" in the push URL, as sent
	Remote  netip.AddrPort
	Node    string // address that accepted it; "node" of events 1 and 0
	Started time.Time
}

// PushEnd says how a push ended. The zero value is a push whose publisher
// closed it.
type PushEnd struct {
	At            time.Time
	Code          EndCode
	Message       string // for people; "errmsg" of event 0
	Width, Height int    // of the video; 0 when no picture was seen
}

// EndCode is the errcode of a push-end event, in the numbers of Tencent Cloud
// CSS (stream-end error table).
type EndCode int

// End codes that Stillcast emits.
const (
	EndClient      EndCode = 1  // the publisher stopped: deleteStream, FCUnpublish
	EndNoData      EndCode = 8  // nothing received for long
	EndInterrupted EndCode = 10 // this server ended it: shutdown or restart
	EndNetwork     EndCode = 12 // the connection was closed or broke without a stop command
	EndRefused     EndCode = 18 // what was sent is not allowed (codec, bytes, limits), or its domain is gone or disabled
	EndControl     EndCode = 21 // dropped or forbidden through the control API
)
