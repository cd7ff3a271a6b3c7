package notify

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stillcast/stillcast"
)

// A name that pointed to an allowed address and points to a private one by the
// time it is dialled again reaches nothing.
func TestNameTurnsPrivate(t *testing.T) {
	var address atomic.Pointer[netip.Addr]
	point := func(to string) { a := netip.MustParseAddr(to); address.Store(&a) }
	var dialled atomic.Pointer[[]string]
	dialled.Store(&[]string{})
	r := newZooRig(t, resolver(t, &address), &dialled)
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Connection", "close")
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	to := template(1)
	to.SnapshotURL = "http://rebind.test:" + port + "/"
	r.settings.set(to)
	r.ledger.finished = make(chan stillcast.Destination, 10)
	r.start(t)
	for _, tt := range []struct{ to, says string }{
		{"127.0.0.1", ""},
		{"127.0.0.2", "address 127.0.0.2 is in a private network"},
		{"169.254.169.254", "belongs to a cloud's metadata service"},
		{"10.0.0.1", "address 10.0.0.1 is in a private network"},
		{"127.0.0.1", ""},
	} {
		point(tt.to)
		r.owe(dest(1), 1)
		await(t, r.ledger.finished, dest(1), 1)
		got := r.ledger.recorded()
		if last := got[len(got)-1]; !strings.Contains(last.Error, tt.says) || (last.Error == "") != (tt.says == "") {
			t.Errorf("%s: error %q, want …%s…", tt.to, last.Error, tt.says)
		}
	}
	if requests.Load() != 2 {
		t.Errorf("%d requests came through, want 2", requests.Load())
	}
}

// resolver asks a DNS server of the test's, which gives one address for every name.
func resolver(t *testing.T, address *atomic.Pointer[netip.Addr]) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		query := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			if _, err := server.WriteTo(answerDNS(query[:n], address.Load().As4()), from); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { server.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// answerDNS answers a query of one question (RFC 1035, 4.1): type A with the
// address, others with nothing.
func answerDNS(query []byte, address [4]byte) []byte {
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	question := query[12 : end+5]
	answers := byte(0)
	if question[len(question)-3] == 1 { // A
		answers = 1
	}
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}, question...)
	if answers == 1 { // the name at offset 12, A, IN, TTL 0, four bytes
		reply = append(append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), address[:]...)
	}
	return reply
}
