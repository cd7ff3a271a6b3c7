package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
)

// waiting is what has arrived for the connections of a port and was not read yet.
type waiting struct {
	connections int
	bytes, most int64 // of all, and of the one that has most
}

// readWaiting looks at the connections of this machine that were accepted on a
// port (proc(5), /proc/net/tcp).
func readWaiting(port uint16) (waiting, error) {
	var all waiting
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a machine without IPv6
		}
		if err != nil {
			return waiting{}, fmt.Errorf("read the connections of this machine: %w", err)
		}
		w := parseWaiting(b, port)
		all.connections += w.connections
		all.bytes += w.bytes
		all.most = max(all.most, w.most)
	}
	return all, nil
}

// parseWaiting reads /proc/net/tcp: of each connection the local address and
// port, the other end, the state, and the bytes that wait to be sent and to be
// read, all in hexadecimal. Lines that are no connections are passed over.
func parseWaiting(b []byte, port uint16) waiting {
	const established = "01"
	end := []byte(fmt.Sprintf(":%04X", port))
	var w waiting
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) < 5 || !bytes.HasSuffix(fields[1], end) || string(fields[3]) != established {
			continue
		}
		_, queue, _ := bytes.Cut(fields[4], []byte(":"))
		n, err := strconv.ParseInt(string(queue), 16, 64)
		if err != nil || n < 0 {
			continue
		}
		w.connections++
		w.bytes += n
		w.most = max(w.most, n)
	}
	return w
}

// portOf is the port of an address HOST:PORT.
func portOf(address string) (uint16, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return 0, fmt.Errorf("read the address of a server: %w", err)
	}
	return a.Port(), nil
}
