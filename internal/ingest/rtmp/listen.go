package rtmp

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/stillcast/stillcast"
)

// unixPrefix begins the address of a unix socket.
const unixPrefix = "unix:"

// address is one address to listen on.
type address struct {
	key   string // of the configuration
	text  string // HOST:PORT, or the path of a unix socket
	unix  bool
	isTLS bool
}

// addresses takes Listen and ListenTLS apart.
func (c Config) addresses() ([]address, error) {
	var all []address
	for _, l := range []struct {
		key, list string
		isTLS     bool
	}{{"listen.rtmp", c.Listen, false}, {"listen.rtmps", c.ListenTLS, true}} {
		if l.list == "" && l.isTLS {
			continue
		}
		for text := range strings.SplitSeq(l.list, ",") {
			text = strings.TrimSpace(text)
			path, isUnix := strings.CutPrefix(text, unixPrefix)
			if text == "" || isUnix && path == "" {
				return nil, stillcast.Errorf(stillcast.CodeInvalid, l.key,
					"is %q; expected HOST:PORT, as in 127.0.0.1:1935, or unix:/PATH, with commas between several", l.list)
			}
			all = append(all, address{key: l.key, text: path, unix: isUnix, isTLS: l.isTLS})
		}
	}
	if c.ListenTLS != "" && (c.TLS.Certificate == "" || c.TLS.Key == "") {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "tls", "lacks certificate or key; listen.rtmps needs both files")
	}
	return all, nil
}

// listener accepts connections on one address.
type listener struct {
	net.Listener
	tls *tls.Config // nil for plain RTMP
}

// listenAll listens on all addresses, or on none.
func listenAll(ctx context.Context, cfg Config, secure *tls.Config) ([]listener, error) {
	addresses, err := cfg.addresses()
	if err != nil {
		return nil, err
	}
	mode, err := cfg.unixMode()
	if err != nil {
		return nil, err
	}
	var all []listener
	for _, a := range addresses {
		l, err := a.listen(ctx, fs.FileMode(mode))
		if err != nil {
			closeAll(all)
			return nil, err
		}
		one := listener{Listener: l}
		if a.isTLS {
			one.tls = secure
		}
		all = append(all, one)
	}
	return all, nil
}

func closeAll(all []listener) {
	for _, l := range all {
		l.Close()
	}
}

func (a address) listen(ctx context.Context, mode fs.FileMode) (net.Listener, error) {
	network := "tcp"
	if a.unix {
		network = "unix"
		if err := a.removeStale(ctx); err != nil {
			return nil, err
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, a.text)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, a.inUse()
	case err != nil:
		return nil, stillcast.Errorf(stillcast.CodeInvalid, a.key, "cannot listen on %q: %v", a.text, cause(err))
	case a.unix:
		if err := os.Chmod(a.text, mode); err != nil {
			l.Close()
			return nil, stillcast.Errorf(stillcast.CodeInvalid, a.key, "cannot set the mode of %q: %v", a.text, cause(err))
		}
	}
	return l, nil
}

func (a address) inUse() error {
	return stillcast.Errorf(stillcast.CodeConflict, a.key,
		"address %s is in use by another program; stop that, or listen on another address", a.text)
}

// removeStale removes the socket that a killed server left behind. Whether it is
// one is seen by that nobody answers there.
func (a address) removeStale(ctx context.Context) error {
	info, err := os.Lstat(a.text)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return stillcast.Errorf(stillcast.CodeInvalid, a.key, "cannot listen on %q: %v", a.text, cause(err))
	case info.Mode().Type() != fs.ModeSocket:
		return stillcast.Errorf(stillcast.CodeInvalid, a.key, "%q exists and is no socket; remove it, or name another path", a.text)
	}
	dialer := net.Dialer{Timeout: time.Second}
	c, err := dialer.DialContext(ctx, "unix", a.text)
	if err == nil {
		c.Close()
		return a.inUse()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return a.inUse()
	}
	if err := os.Remove(a.text); err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, a.key, "cannot remove the socket %q that nobody answers on: %v", a.text, cause(err))
	}
	return nil
}
