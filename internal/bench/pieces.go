package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
)

// perAddress is how many connections come from one address.
const perAddress = 500

// localAddress is where the connection with that index comes from: servers limit
// the connections of one address, and an address has only so many ports. All of
// 127.0.0.0/8 is this machine.
func localAddress(index int) netip.Addr {
	n := index/perAddress + 2
	return netip.AddrFrom4([4]byte{127, byte(n >> 16), byte(n >> 8), byte(n)}) //nolint:gosec // the bits are meant
}

// connect makes the connection of a stream.
func (f *fleet) connect(ctx context.Context, network, address string, index int) (*pieces, error) {
	var d net.Dialer
	if f.order.Spread {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(localAddress(index), 0))
	}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("a connection of type %T is not over TCP", conn)
	}
	return &pieces{TCPConn: tcp}, nil
}

// pieces is a connection that, once it is split, writes each message as FFmpeg
// does: its header, then each chunk and the byte between two chunks, by a write
// each.
type pieces struct {
	*net.TCPConn

	size atomic.Int64 // of chunks in bytes; 0 while it is whole
}

// messageHeader is the size in bytes of the header that chunk.Writer gives a
// message whose timestamp has 24 bits.
const messageHeader = 12

// split begins to split the messages, which have chunks of size bytes. FFmpeg
// leaves Nagle's algorithm on.
func (p *pieces) split(size int) error {
	if err := p.SetNoDelay(false); err != nil {
		return fmt.Errorf("write as FFmpeg does: %w", err)
	}
	p.size.Store(int64(size))
	return nil
}

// Write implements io.Writer. b is a whole message.
func (p *pieces) Write(b []byte) (int, error) {
	size := int(p.size.Load())
	if size == 0 {
		return p.TCPConn.Write(b)
	}
	written := 0
	for _, cut := range cutsOf(len(b), size) {
		n, err := p.TCPConn.Write(b[written : written+cut])
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}

// cutsOf are the sizes of the pieces of a message that has so many bytes with its
// headers, in chunks of size bytes.
func cutsOf(length, size int) []int {
	var cuts []int
	for next := messageHeader; length > 0; {
		n := min(next, length)
		cuts = append(cuts, n)
		length -= n
		if next == size {
			next = 1
		} else {
			next = size
		}
	}
	return cuts
}
