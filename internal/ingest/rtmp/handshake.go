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
	hello []byte // C0 and C1 so far
	c2    int    // bytes of C2 so far
}

// feed takes handshake bytes from data. It returns what is left of them and,
// once, the answer; the handshake is done when done is true.
func (h *handshake) feed(data []byte) (rest, answer []byte, done bool, err error) {
	if len(data) == 0 {
		return nil, nil, false, nil
	}
	if len(h.hello) == 0 && data[0] != rtmpVersion {
		return nil, nil, false, notRTMP(data)
	}
	if missing := 1 + handshakeSize - len(h.hello); missing > 0 {
		n := min(missing, len(data))
		h.hello = append(h.hello, data[:n]...)
		if n < missing {
			return nil, nil, false, nil
		}
		answer, data = h.answer(), data[n:]
	}
	n := min(handshakeSize-h.c2, len(data))
	h.c2 += n
	return data[n:], answer, h.c2 == handshakeSize, nil
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

// answer returns S0, S1 and S2. S1 is random after its 8 bytes of time and
// zeros; S2 echoes C1.
func (h *handshake) answer() []byte {
	b := make([]byte, 1+handshakeSize, 1+2*handshakeSize)
	b[0] = rtmpVersion
	rand.Read(b[9:]) // it never fails
	return append(b, h.hello[1:]...)
}
