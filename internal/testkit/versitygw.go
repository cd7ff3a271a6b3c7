package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// versitygwVersion is read by scripts/setup.sh too.
//
//go:embed versitygw.version
var versitygwVersion string

// VersityGW is a real S3 server, versitygw, that keeps objects as files: Dir/BUCKET/KEY.
// It ends with the test. Its region is us-east-1.
type VersityGW struct {
	Endpoint  string // http(s)://127.0.0.1:PORT
	AccessKey string
	SecretKey string
	Dir       string // a folder in it is a bucket
	CAFile    string // the certificate that its own is signed by, with TLS

	process *Process
	args    []string
	ready   string // path that is answered with 200
}

// VersityGWOptions change how a [VersityGW] runs.
type VersityGWOptions struct {
	// VirtualDomain makes BUCKET.VirtualDomain a name of a bucket.
	VirtualDomain string
	// TLS makes it listen with a certificate for 127.0.0.1, and for
	// VirtualDomain and the names below it.
	TLS bool
}

// StartVersityGW starts a server that has these buckets.
func StartVersityGW(t testing.TB, o VersityGWOptions, buckets ...string) *VersityGW {
	t.Helper()
	g := &VersityGW{AccessKey: "stillcast-test", SecretKey: rand.Text(), Dir: t.TempDir(), ready: "/" + rand.Text()}
	for _, bucket := range buckets {
		g.MakeBucket(t, bucket)
	}
	g.args = []string{"--access", g.AccessKey, "--secret", g.SecretKey, "--keep-alive", "--quiet", "--health", g.ready}
	scheme := "http://"
	if o.VirtualDomain != "" {
		g.args = append(g.args, "--virtual-domain", o.VirtualDomain)
	}
	if o.TLS {
		scheme = "https://"
		g.args = append(g.args, g.certify(t, o.VirtualDomain)...)
	}
	// The program cannot tell which port it took, so one is found before. Somebody else may be faster.
	for range 10 {
		address := freeAddress(t)
		g.Endpoint = scheme + address
		if g.run(t, address) {
			return g
		}
	}
	t.Fatalf("versitygw does not start:\n%s", g.process.Said())
	return nil
}

// MakeBucket makes a bucket.
func (g *VersityGW) MakeBucket(t testing.TB, name string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(g.Dir, name), 0o700); err != nil {
		t.Fatalf("making a bucket: %v", err)
	}
}

// Stop kills the server: connections break, and nobody listens any more.
func (g *VersityGW) Stop() { g.process.Kill() }

// Restart starts it again at the same address, with the same objects.
func (g *VersityGW) Restart(t testing.TB) {
	t.Helper()
	_, address, _ := strings.Cut(g.Endpoint, "://")
	if !g.run(t, address) {
		t.Fatalf("versitygw does not start again:\n%s", g.process.Said())
	}
}

// run starts the program and waits until it answers, or has ended.
func (g *VersityGW) run(t testing.TB, address string) bool {
	t.Helper()
	args := append(append([]string{"--port", address}, g.args...), "posix")
	args = append(args, g.metadataArgs(t)...)
	g.process = start(t, exec.Command(versitygwPath(t), append(args, g.Dir)...)) //nolint:noctx // see start
	client := g.client(t)
	defer client.CloseIdleConnections()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		if g.answers(t, client) {
			return true
		}
		select {
		case <-again.C:
		case <-g.process.Done():
			return false
		case <-t.Context().Done():
			t.Fatalf("versitygw is not ready:\n%s", g.process.Said())
		}
	}
}

func (g *VersityGW) client(t testing.TB) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	if g.CAFile != "" {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(readFile(t, g.CAFile))
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}
}

func (g *VersityGW) answers(t testing.TB, client *http.Client) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.Endpoint+g.ready, http.NoBody)
	if err != nil {
		t.Fatalf("asking versitygw: %v", err)
	}
	answer, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// metadataArgs have what is known of an object kept beside the files where they cannot carry it.
func (g *VersityGW) metadataArgs(t testing.TB) []string {
	t.Helper()
	err := unix.Setxattr(g.Dir, "user.stillcast", []byte("?"), 0)
	if !errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return []string{"--sidecar", t.TempDir()}
}

func versitygwPath(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("finding versitygw: %v", err)
	}
	path := filepath.Join(cache, "stillcast", "versitygw-"+strings.TrimSpace(versitygwVersion), "versitygw")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("finding versitygw (scripts/setup.sh test installs it): %v", err)
	}
	return path
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		t.Fatalf("finding a free port: %v", err)
	}
	defer l.Close()
	return l.Addr().String()
}

// certify makes an authority and a certificate of it, and returns the options with which the program takes it.
func (g *VersityGW) certify(t testing.TB, domain string) []string {
	t.Helper()
	folder := t.TempDir()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stillcast testkit"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey := newKey(t)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if domain != "" {
		leaf.DNSNames = []string{domain, "*." + domain}
	}
	key := newKey(t)
	g.CAFile = filepath.Join(folder, "ca.pem")
	writePEM(t, g.CAFile, "CERTIFICATE", signCertificate(t, authority, authority, authorityKey, authorityKey))
	cert, keyFile := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	writePEM(t, cert, "CERTIFICATE", signCertificate(t, leaf, authority, key, authorityKey))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("making a certificate: %v", err)
	}
	writePEM(t, keyFile, "PRIVATE KEY", der)
	return []string{"--cert", cert, "--key", keyFile}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	return key
}

func signCertificate(t testing.TB, c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatalf("making a certificate: %v", err)
	}
	return der
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatalf("writing %s: %v", path, err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path) //nolint:gosec // a file of the test's own
	if err != nil {
		t.Fatal(err)
	}
	return data
}
