package api

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// HostListener lets requests through whose Host header is a whole URL, such as
// "Host: http://127.0.0.1:8080", which tccli sends and signs where its endpoint
// says http, and which [net/http] refuses before any handler runs. It takes the
// scheme out of the header of each connection's first request and remembers
// the value for the signature; [HostOf] returns it.
//
// tccli opens a connection for each call, so only the first request of a connection is looked at.
type HostListener struct{ net.Listener }

// Accept implements [net.Listener].
func (l HostListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &hostConn{Conn: c}, nil
}

// hostConn rewrites the Host line of the first request that is read from it.
type hostConn struct {
	net.Conn

	done bool   // the first request's head went through
	head []byte // of the first request, read but not handed on
	held error  // of the read that came with the last of head
	mu   sync.Mutex
	host string // as sent, where it was changed
}

// maxHead is how far the Host header may be behind the start of a request; it is the second line at most clients.
const maxHead = 8 << 10

// Read implements [net.Conn]. The first request's head is held back until its Host line is whole.
func (c *hostConn) Read(b []byte) (int, error) {
	for !c.done {
		chunk := make([]byte, 4<<10)
		n, err := c.Conn.Read(chunk)
		c.head = append(c.head, chunk[:n]...)
		c.rewrite()
		if err != nil || len(c.head) > maxHead {
			c.done, c.held = true, err
		}
	}
	if len(c.head) > 0 {
		n := copy(b, c.head)
		if c.head = c.head[n:]; len(c.head) == 0 {
			c.head = nil
		}
		return n, nil
	}
	if c.held != nil {
		err := c.held
		c.held = nil
		return 0, err
	}
	return c.Conn.Read(b)
}

// ReadFrom implements [io.ReaderFrom], so that files are still sent without a
// copy through this process.
func (c *hostConn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// rewrite changes the Host line if it is there and needs it.
func (c *hostConn) rewrite() {
	rest := c.head
	for offset := 0; ; {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return // not whole yet
		}
		text := strings.TrimSuffix(string(line), "\r")
		if text == "" {
			c.done = true // no Host at all
			return
		}
		if name, value, ok := strings.Cut(text, ":"); ok && strings.EqualFold(name, "Host") {
			c.done = true
			c.change(offset, len(line), strings.TrimSpace(value))
			return
		}
		offset += len(line) + 1
		rest = after
	}
}

func (c *hostConn) change(offset, length int, host string) {
	plain, ok := strings.CutPrefix(host, "http://")
	if !ok {
		if plain, ok = strings.CutPrefix(host, "https://"); !ok {
			return
		}
	}
	plain = strings.TrimSuffix(plain, "/")
	c.mu.Lock()
	c.host = host
	c.mu.Unlock()
	head := append([]byte{}, c.head[:offset]...)
	head = append(head, "Host: "+plain+"\r"...)
	c.head = append(head, c.head[offset+length:]...)
}

type hostKey struct{}

// HostContext is the ConnContext of the [http.Server] behind a [HostListener].
func HostContext(ctx context.Context, c net.Conn) context.Context {
	if h, ok := c.(*hostConn); ok {
		return context.WithValue(ctx, hostKey{}, h)
	}
	return ctx
}

// HostOf returns the Host of a request as it was sent.
func HostOf(r *http.Request) string {
	if c, ok := r.Context().Value(hostKey{}).(*hostConn); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.host != "" && strings.HasSuffix(strings.TrimSuffix(c.host, "/"), "//"+r.Host) {
			return c.host
		}
	}
	return r.Host
}
