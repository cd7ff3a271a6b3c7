package rtmp

import (
	"bytes"
	"crypto/rand"
	"fmt"

	"github.com/stillcast/stillcast"
)

// Sizes of the handshake (RTMP specification section 5.2).
const (
	rtmpVersion   = 3
	handshakeSize = 1536 // of C1, C2, S1 and S2
)

// handshake is the plain handshake, from the server's side. The digest that
// Flash players know is not needed by any publisher.
type handshake struct {
	hello []byte // C0 and C1 so far, when they come in pieces
	said  bool   // they were there, and were answered
	c2    int    // bytes of C2 so far
}

// feed takes handshake bytes from data, writes the answer, and returns what is
// left of data; the handshake is done when done is true.
func (h *handshake) feed(data []byte, out *bytes.Buffer) (rest []byte, done bool, err error) {
	if len(data) == 0 {
		return nil, false, nil
	}
	if !h.said {
		if len(h.hello) == 0 && data[0] != rtmpVersion {
			return nil, false, notRTMP(data)
		}
		n := min(1+handshakeSize-len(h.hello), len(data))
		hello := data[:n]
		if n <= handshakeSize { // a piece, which most publishers do not send
			h.hello = append(h.hello, hello...)
			hello = h.hello
		}
		if len(hello) <= handshakeSize {
			return nil, false, nil
		}
		answer(out, hello[1:])
		h.said, h.hello, data = true, nil, data[n:]
	}
	n := min(handshakeSize-h.c2, len(data))
	h.c2 += n
	return data[n:], h.c2 == handshakeSize, nil
}

// notRTMP says what came instead of a handshake.
func notRTMP(data []byte) *closing {
	message := fmt.Sprintf("not RTMP: first byte 0x%02x, expected 0x%02x", data[0], rtmpVersion)
	const tlsHandshake = 0x16 // record type (RFC 8446, section 5.1)
	switch {
	case bytes.HasPrefix(data, []byte("PROXY ")), bytes.HasPrefix(data, []byte("\r\n\r\n\x00\r\nQUIT\n")):
		message = "not RTMP but a PROXY header, and its sender is not in trusted_proxies"
	case data[0] == tlsHandshake:
		message = "not RTMP but TLS: push to listen.rtmps with rtmps://, or to this address with rtmp://"
	}
	return closeWith(reasonNotRTMP, stillcast.EndRefused, message)
}

// answer writes S0, S1 and S2. S1 is random after its 8 bytes of time and
// zeros; S2 echoes C1.
func answer(out *bytes.Buffer, c1 []byte) {
	out.Grow(1 + 2*handshakeSize)
	b := out.AvailableBuffer()[:1+handshakeSize]
	clear(b[1:9])
	b[0] = rtmpVersion
	rand.Read(b[9:]) // it never fails
	out.Write(b)
	out.Write(c1)
}
