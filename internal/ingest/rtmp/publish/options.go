package publish

import (
	"cmp"
	"context"
	"net"
	"time"

	"github.com/stillcast/stillcast"
)

// Bounds of [Options].ChunkSize in bytes: the protocol's own size at first,
// and what every server is known to take.
const (
	MinChunkSize     = 128
	MaxChunkSize     = 65536
	DefaultChunkSize = 4096 // what OBS uses
)

// DefaultTimeout is the Timeout of the zero [Options].
const DefaultTimeout = 10 * time.Second

const defaultFlashVer = "FMLE/3.0 (compatible; Stillcast)"

// Options says how to push. The zero value is ready to use.
type Options struct {
	// ChunkSize is the size in bytes of the chunks that are sent,
	// [MinChunkSize] to [MaxChunkSize]; 0 for [DefaultChunkSize].
	ChunkSize int
	// Timeout bounds [Dial] as a whole, and how long one tag may take to be
	// sent; 0 for [DefaultTimeout].
	Timeout time.Duration
	// FlashVer is the name that the publisher gives itself; "" for Stillcast's,
	// which starts with FMLE because some servers ask for that.
	FlashVer string
	// Dial makes the connection to the URL's host and port; nil for a plain TCP
	// connection. It lets a publisher reach a server under another address than
	// the push domain's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// complete returns the options with the defaults filled in.
func (o Options) complete() (Options, error) {
	o.ChunkSize = cmp.Or(o.ChunkSize, DefaultChunkSize)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.FlashVer = cmp.Or(o.FlashVer, defaultFlashVer)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.ChunkSize < MinChunkSize || o.ChunkSize > MaxChunkSize {
		return Options{}, stillcast.Errorf(stillcast.CodeInvalid, "chunk size",
			"is %d bytes; allowed are %d to %d", o.ChunkSize, MinChunkSize, MaxChunkSize)
	}
	if o.Timeout < 0 {
		return Options{}, stillcast.Errorf(stillcast.CodeInvalid, "timeout", "is %s; it must not be negative", o.Timeout)
	}
	return o, nil
}
