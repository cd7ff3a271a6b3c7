package notify

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// at is a receiver that is not there.
func at(location string) func(*testing.T) string { return func(*testing.T) string { return location } }

func answering(status int, header http.Header) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			_, _ = io.Copy(io.Discard, q.Body)
			maps.Copy(w.Header(), header)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"code":0}`)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
}

func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String() + "/"
}

// raw reads each request and then leaves the connection to a function.
func raw(then func(net.Conn)) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		return "http://" + listen(t, func(c net.Conn) {
			q, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, q.Body)
			then(c)
		}) + "/"
	}
}

// listen serves connections until the test ends and returns the address.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); conns.Wait() })
	return l.Addr().String()
}

func say(c net.Conn, text string) { _, _ = io.WriteString(c, text) }

// hold waits until the other side has closed.
func hold(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// drip sends one byte at a time and then holds; all of it takes longer than an attempt may.
func drip(c net.Conn, text string) {
	ticker := time.NewTicker(zooTimeout / 8)
	defer ticker.Stop()
	for i := range len(text) {
		<-ticker.C
		if _, err := c.Write([]byte{text[i]}); err != nil {
			return
		}
	}
	hold(c)
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// flood sends a head and then 100 MB.
func flood(head string) func(*testing.T) string {
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	return raw(func(c net.Conn) {
		say(c, head)
		for range 100 << 20 / len(chunk) {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	})
}

// secure has a certificate that is valid from and until so long after now.
func secure(from, until time.Duration) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: now.Add(from), NotAfter: now.Add(until),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}} //nolint:gosec // a test
		address := listen(t, func(c net.Conn) { _ = tls.Server(c, config).HandshakeContext(t.Context()) })
		return "https://" + address + "/"
	}
}

func plainTLS(t *testing.T) string {
	t.Helper()
	return strings.Replace(answering(200, nil)(t), "http://", "https://", 1)
}
