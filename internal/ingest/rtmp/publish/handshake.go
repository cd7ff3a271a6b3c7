package publish

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

// Sizes and version of the plain handshake (RTMP specification section 5.2).
const (
	handshakeVersion = 3
	handshakeSize    = 1536 // of C1, S1, C2 and S2
	handshakeRandom  = 8    // where the random bytes of C1 start, after time and zero
)

// errNotRTMP says that the other side speaks something else.
var errNotRTMP = errors.New("server does not speak RTMP")

// handshake does the plain handshake. What the server echoes in S2 is not
// compared: servers that know the later digest handshake put other bytes there.
func handshake(rw io.ReadWriter) error {
	var out [1 + handshakeSize]byte // C0 and C1
	out[0] = handshakeVersion
	if _, err := rand.Read(out[1+handshakeRandom:]); err != nil {
		return fmt.Errorf("make handshake: %w", err)
	}
	if _, err := rw.Write(out[:]); err != nil {
		return fmt.Errorf("send handshake: %w", err)
	}
	var in [1 + 2*handshakeSize]byte // S0, S1 and S2
	if _, err := io.ReadFull(rw, in[:1]); err != nil {
		return fmt.Errorf("read handshake: %w", explain(err))
	}
	if in[0] != handshakeVersion {
		return fmt.Errorf("read handshake: %w: its first byte is 0x%02x, expected 0x%02x", errNotRTMP, in[0], handshakeVersion)
	}
	if _, err := io.ReadFull(rw, in[1:]); err != nil {
		return fmt.Errorf("read handshake: %w", explain(err))
	}
	if _, err := rw.Write(in[1 : 1+handshakeSize]); err != nil { // C2 is the echo of S1
		return fmt.Errorf("send handshake: %w", err)
	}
	return nil
}
