package rtmp

import (
	"errors"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// reason says in one word why a connection was closed. It is a label of
// metrics, so the set is closed.
type reason string

const (
	reasonClient    reason = "client"    // the publisher stopped
	reasonNetwork   reason = "network"   // closed or broken without a word
	reasonNoData    reason = "no_data"   // idle_timeout
	reasonSlow      reason = "slow"      // handshake_timeout, connect_timeout, publish_timeout
	reasonFull      reason = "full"      // max_connections
	reasonAddress   reason = "address"   // max_connections_per_address
	reasonProxy     reason = "proxy"     // a trusted proxy that sent no PROXY header, or a broken one
	reasonTLS       reason = "tls"       // no TLS handshake came about
	reasonBitrate   reason = "bitrate"   // max_bitrate
	reasonNotRTMP   reason = "not_rtmp"  // another protocol
	reasonProtocol  reason = "protocol"  // RTMP, but wrong
	reasonLimit     reason = "limit"     // one of Config.Limits, or AMF0's
	reasonDenied    reason = "denied"    // by the gate
	reasonPlay      reason = "play"      // wanted to watch
	reasonVideo     reason = "video"     // a codec or a picture size that is not taken
	reasonEnded     reason = "ended"     // by Push.Done
	reasonShutdown  reason = "shutdown"  // of this server
	reasonPanicking reason = "panicking" // a defect of ours
)

func reasons() []reason {
	return []reason{
		reasonClient, reasonNetwork, reasonNoData, reasonSlow, reasonFull, reasonAddress, reasonProxy, reasonTLS, reasonBitrate,
		reasonNotRTMP, reasonProtocol, reasonLimit, reasonDenied, reasonPlay, reasonVideo, reasonEnded, reasonShutdown, reasonPanicking,
	}
}

// closing is why and how a connection is closed, and how long that waits. It is an error so that it can
// come out of wherever that is decided.
type closing struct {
	reason reason
	status string // NetStream code that the publisher is told; "" for none
	told   bool   // it was told already
	delay  time.Duration
	end    stillcast.PushEnd
}

// Error implements error.
func (c *closing) Error() string { return c.end.Message }

func closeWith(r reason, code stillcast.EndCode, message string) *closing {
	return &closing{reason: r, end: stillcast.PushEnd{Code: code, Message: message}}
}

func (c *closing) telling(status string) *closing {
	c.status = status
	return c
}

// closingOf turns any error of a session into the closing of its connection.
func closingOf(err error) *closing {
	if c, ok := errors.AsType[*closing](err); ok {
		return c
	}
	r := reasonProtocol
	if isLimit(err) {
		r = reasonLimit
	}
	return closeWith(r, stillcast.EndRefused, err.Error()).telling(statusPublishFailed)
}

func isLimit(err error) bool {
	limits := []error{
		chunk.ErrChunkStreams, chunk.ErrOpenMessages, chunk.ErrMessageBytes, chunk.ErrCommandBytes,
		chunk.ErrVideoBytes, chunk.ErrAudioBytes, chunk.ErrDataBytes, chunk.ErrBudget, amf0.ErrDepth, amf0.ErrValues, amf0.ErrStringBytes,
	}
	for _, limit := range limits {
		if errors.Is(err, limit) {
			return true
		}
	}
	return false
}
