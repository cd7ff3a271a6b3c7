package notify

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

// send posts one body to a URL over the real network.
func post(t *testing.T, c *clients, raw string) answer {
	t.Helper()
	target, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c.post(t.Context(), dest(1), target, http.Header{}, []byte(`{"event_type":200}`))
}

func realClients(t *testing.T, change func(*Config)) *clients {
	t.Helper()
	config := DefaultConfig()
	config.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if change != nil {
		change(&config)
	}
	c := newClients(config, nil)
	t.Cleanup(func() { c.forget(func(stillcast.Destination) bool { return false }) })
	return c
}

func TestPrivateAddressIsRefusedWhenDialling(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	blocked := realClients(t, func(c *Config) { c.AllowNetworks = nil })
	// The name shows that the address counts, after it was resolved.
	for _, name := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		a := post(t, blocked, "http://"+name+":"+port+"/?token=hush")
		if a.err == nil || a.status != 0 || !strings.Contains(a.err.Error(), "list it under callback.allow_networks to allow it") {
			t.Errorf("%s: status %d, error %v", name, a.status, a.err)
		}
	}
	a := post(t, blocked, server.URL)
	if want := "address 127.0.0.1 is in a private network; list it under callback.allow_networks to allow it"; a.err == nil || a.err.Error() != want {
		t.Errorf("error %v, want %s", a.err, want)
	}
	if requests.Load() != 0 {
		t.Errorf("%d requests came through", requests.Load())
	}
	allowed := realClients(t, nil)
	if a := post(t, allowed, server.URL); a.err != nil || requests.Load() != 1 {
		t.Errorf("with the network listed: %v", a.err)
	}
}

// A name that pointed to an allowed address and now points to another gains
// nothing: the check is made for each connection.
func TestGuardChecksEachDial(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	config := DefaultConfig()
	config.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	g := newGuard(config.AllowNetworks)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resolved := []string{"127.0.0.1:" + port, "127.0.0.2:" + port} // what DNS says, one after the other
	for i, address := range resolved {
		d := net.Dialer{Control: g.control}
		conn, err := d.DialContext(t.Context(), "tcp", address)
		if conn != nil {
			conn.Close()
		}
		if (err == nil) != (i == 0) {
			t.Errorf("dial %s: %v", address, err)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	a := post(t, realClients(t, nil), server.URL)
	if a.status != 307 || a.err != nil || followed.Load() != 0 {
		t.Errorf("status %d, error %v, followed %d times", a.status, a.err, followed.Load())
	}
}

// A proxy of the environment would make the guard see the proxy's address.
func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.test:3128")
	t.Setenv("http_proxy", "http://proxy.test:3128")
	r := httptest.NewRequest(http.MethodPost, "http://receiver.test/", nil)
	if p, err := http.ProxyFromEnvironment(r); err != nil || p == nil || p.Host != "proxy.test:3128" {
		t.Fatalf("the environment names the proxy %v, %v", p, err)
	}
	m := &memNet{hosts: map[string]chan net.Conn{}}
	a := post(t, newClients(DefaultConfig(), m.dial), "http://receiver.test/")
	if a.err == nil || len(m.dials) != 1 || m.dials[0] != "receiver.test:80" {
		t.Errorf("dialled %v, error %v", m.dials, a.err)
	}
}

func TestAnswerIsBounded(t *testing.T) {
	var written atomic.Int64
	finished := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/body", func(w http.ResponseWriter, _ *http.Request) {
		defer close(finished)
		chunk := bytes.Repeat([]byte("x"), 64<<10)
		for range 16 << 10 { // a gigabyte
			n, err := w.Write(chunk)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/header", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	c := realClients(t, nil)
	a := post(t, c, server.URL+"/body")
	if a.err != nil || a.reply != strings.Repeat("x", maxReply) {
		t.Errorf("error %v, %d bytes of the reply", a.err, len(a.reply))
	}
	<-finished
	// What the sockets hold on top of what is read is the system's affair.
	if written.Load() > 64<<20 {
		t.Errorf("%d bytes of the body were taken", written.Load())
	}
	if a := post(t, c, server.URL+"/header"); a.err == nil || a.status != 0 {
		t.Errorf("a header of a megabyte: status %d, error %v", a.status, a.err)
	}
}

// flaky is a server that closes a connection when a second request comes on it,
// as one does whose idle timeout has just passed.
func flaky(t *testing.T, before string) (address string, requests *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = &atomic.Int32{}
	done := make(chan struct{})
	serve := func(conn net.Conn) {
		defer conn.Close()
		r := bufio.NewReader(conn)
		for i := range 2 {
			q, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, q.Body)
			requests.Add(1)
			if i == 0 {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			_, _ = io.WriteString(conn, before)
		}
	}
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String(), requests
}

func TestBrokenIdleConnectionIsReplacedAtOnce(t *testing.T) {
	address, requests := flaky(t, "")
	c := realClients(t, nil)
	for i := range 2 {
		if a := post(t, c, "http://"+address); a.err != nil {
			t.Errorf("request %d: %v", i+1, a.err)
		}
	}
	if requests.Load() != 3 {
		t.Errorf("%d requests, want 3: one, one that broke, its repeat", requests.Load())
	}
}

// Once a byte of the answer came the request may have been seen: it counts as failed.
func TestBrokenAnswerIsNotRepeatedAtOnce(t *testing.T) {
	address, requests := flaky(t, "HTTP/1.1 2")
	c := realClients(t, nil)
	if a := post(t, c, "http://"+address); a.err != nil {
		t.Error(a.err)
	}
	if a := post(t, c, "http://"+address); a.err == nil {
		t.Error("half an answer counts as success")
	}
	if requests.Load() != 2 {
		t.Errorf("%d requests, want 2", requests.Load())
	}
}

// Errors are for people, and hold nothing of the URL but its host.
func TestErrorsTellNoSecrets(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	closed.Close()
	garbage, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := garbage.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH\r\n")
			conn.Close()
		}
	}()
	defer func() { garbage.Close(); <-done }()
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { blackHole(q) }))
	defer hang.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer plain.Close()
	c := realClients(t, func(c *Config) { c.Retry.Timeout = 200 * time.Millisecond })
	for url, says := range map[string]string{
		"http://USER:hunter2@" + address + "/?token=hush":                                  "connection refused",
		"http://USER:hunter2@" + garbage.Addr().String() + "/?token=hush":                  "malformed HTTP response",
		strings.Replace(hang.URL, "//", "//USER:hunter2@", 1) + "/?token=hush":             "no answer in time",
		strings.Replace(plain.URL, "http://", "https://USER:hunter2@", 1) + "/?token=hush": "the receiver answers HTTP, not HTTPS",
	} {
		a := post(t, c, url)
		if a.err == nil || !strings.Contains(a.err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", url, a.err, says)
			continue
		}
		for _, secret := range []string{"hush", "USER", "hunter2"} {
			if strings.Contains(a.err.Error(), secret) {
				t.Errorf("error holds %q: %v", secret, a.err)
			}
		}
	}
}
